#include "control/records.h"

namespace pileus::control {

Result<> Change::add_event(state::Store& store, const std::string& key, model::Event event) {
  Stored<model::EventLog> log = TRY(read<model::EventLog>(store, key));
  model::append(log.value, std::move(event));
  update(key, log.value, log.revision);
  return {};
}

Result<std::optional<state::Revision>> Change::commit(state::Store& store) const {
  const state::TransactionResult done = TRY(store.commit(transaction_));
  if (!done.succeeded) return std::optional<state::Revision>();
  return std::optional<state::Revision>(done.revision);
}

}  // namespace pileus::control
