#include "state/store.h"

#include <utility>

namespace pileus::state {

KeyRange KeyRange::key(std::string key) {
  std::string end = key;
  end.push_back('\0');  // the next key in order
  return {std::move(key), std::move(end)};
}

KeyRange KeyRange::prefix(std::string prefix) {
  std::string end = prefix;
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<u8>(end.back()) + 1);
  return {std::move(prefix), std::move(end)};
}

Result<bool> Watch::skip(std::chrono::milliseconds timeout) {
  WatchUpdate update = TRY(next(timeout));
  const bool any = !update.events.empty();
  while (!update.events.empty()) update = TRY(next(std::chrono::milliseconds(0)));
  return any;
}

Result<std::optional<KeyValue>> Store::get(const std::string& key) {
  Snapshot found = TRY(get(Get{KeyRange::key(key)}));
  if (found.entries.empty()) return std::optional<KeyValue>();
  return std::optional<KeyValue>(std::move(found.entries.front()));
}

Result<Revision> Store::put(std::string key, std::string value, LeaseId lease) {
  const TransactionResult done = TRY(commit({{}, {Put{std::move(key), std::move(value), lease}}, {}}));
  return done.revision;
}

Result<bool> Store::erase(std::string key) {
  const TransactionResult done = TRY(commit({{}, {Delete{KeyRange::key(std::move(key))}}, {}}));
  const auto* result = done.results.empty() ? nullptr : std::get_if<DeleteResult>(&done.results.front());
  return result != nullptr && result->count > 0;
}

}  // namespace pileus::state
