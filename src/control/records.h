// Records of the model in the state store: reading them with their revision, and transactions that hold only if what
// was read is still so.
//
// A commit that answers kTimeout may have happened. Controllers need not care: they return the error, are called again,
// read what is, and act on the difference.
#pragma once

#include <optional>
#include <string>

#include "model/codec.h"
#include "model/event.h"
#include "model/keys.h"
#include "state/store.h"

namespace pileus::control {

template <typename Record>
struct Stored {
  Record value;
  state::Revision revision = 0;  // 0: it is not in the store, `value` is empty
  bool exists() const { return revision != 0; }
};

template <typename Record>
Result<Stored<Record>> decode_entry(const state::KeyValue& entry) {
  Record record = TRY(model::decode<Record>(entry.value).with(entry.key));
  return Stored<Record>{std::move(record), entry.mod_revision};
}

template <typename Record>
Result<Stored<Record>> read(state::Store& store, const std::string& key) {
  const std::optional<state::KeyValue> entry = TRY(store.get(key));
  if (!entry) return Stored<Record>{};
  return decode_entry<Record>(*entry);
}

// A transaction being put together. Each change names what it was made from.
class Change {
 public:
  void expect(std::string key, state::Revision revision) {
    transaction_.conditions.push_back(state::Compare::unchanged(std::move(key), revision));
  }
  void expect(state::Compare condition) { transaction_.conditions.push_back(std::move(condition)); }
  void put(std::string key, std::string value) {
    transaction_.then.emplace_back(state::Put{std::move(key), std::move(value)});
  }
  // Gone with the lease.
  void put(std::string key, std::string value, state::LeaseId lease) {
    transaction_.then.emplace_back(state::Put{std::move(key), std::move(value), lease});
  }
  void erase(state::KeyRange range) { transaction_.then.emplace_back(state::Delete{std::move(range)}); }
  // Replaces the record, if nobody else has meanwhile.
  template <typename Record>
  void update(const std::string& key, const Record& record, state::Revision read_at) {
    expect(key, read_at);
    put(key, model::encode(record));
  }
  // Appends to an object's events, in the same transaction.
  Result<> add_event(state::Store& store, const std::string& key, model::Event event);

  // The revision of the change; nothing when a condition did not hold, and nothing was changed.
  Result<std::optional<state::Revision>> commit(state::Store& store) const;

 private:
  state::Transaction transaction_;
};

}  // namespace pileus::control
