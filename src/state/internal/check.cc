#include "state/internal/check.h"

#include <set>

namespace pileus::state {
namespace {

Error invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }

Result<> check_key(const std::string& key) {
  if (!key.empty() && key.size() <= kMaxKeySize) return {};
  return invalid("a key of " + std::to_string(key.size()) + " bytes: one has 1 to " + std::to_string(kMaxKeySize));
}

}  // namespace

Result<> check_range(const KeyRange& range) {
  // One more than a key: KeyRange::key() ends with the byte after it.
  if (range.begin.size() > kMaxKeySize + 1 || range.end.size() > kMaxKeySize + 1) {
    return invalid("a range whose bounds are longer than a key may be");
  }
  if (!range.end.empty() && range.begin >= range.end) return invalid("a range that ends before it begins");
  return {};
}

namespace {

// Adds what the branch carries to `size`.
Result<> check_branch(const std::vector<Operation>& branch, std::size_t& size) {
  if (branch.size() > kMaxOperations) {
    return invalid("a transaction of " + std::to_string(branch.size()) +
                   " operations: " + std::to_string(kMaxOperations) + " at most");
  }
  std::set<std::string_view> puts;
  for (const Operation& operation : branch) {
    if (const auto* get = std::get_if<Get>(&operation)) TRY(check_range(get->range));
    if (const auto* erase = std::get_if<Delete>(&operation)) TRY(check_range(erase->range));
    const auto* put = std::get_if<Put>(&operation);
    if (put == nullptr) continue;
    TRY(check_key(put->key));
    size += put->key.size() + put->value.size();
    if (!puts.insert(put->key).second) return invalid("a transaction that puts " + put->key + " twice");
  }
  for (const Operation& operation : branch) {
    const auto* erase = std::get_if<Delete>(&operation);
    if (erase == nullptr) continue;
    const auto found = puts.lower_bound(erase->range.begin);
    if (found != puts.end() && erase->range.contains(*found)) {
      return invalid("a transaction that puts and deletes " + std::string(*found));
    }
  }
  return {};
}

}  // namespace

Result<> check_transaction(const Transaction& transaction) {
  if (transaction.conditions.size() > kMaxOperations) {
    return invalid("a transaction of " + std::to_string(transaction.conditions.size()) +
                   " conditions: " + std::to_string(kMaxOperations) + " at most");
  }
  std::size_t size = 0;
  for (const Compare& compare : transaction.conditions) {
    TRY(check_key(compare.key));
    size += compare.key.size() + compare.value.size();
  }
  TRY(check_branch(transaction.then, size));
  TRY(check_branch(transaction.otherwise, size));
  if (size <= kMaxTransactionSize) return {};
  return invalid("a transaction of " + std::to_string(size) + " bytes: " + std::to_string(kMaxTransactionSize) +
                 " at most");
}

Result<> check_ttl(std::chrono::seconds ttl) {
  if (ttl >= std::chrono::seconds(1) && ttl <= kMaxTtl) return {};
  return invalid("a lease of " + std::to_string(ttl.count()) + " seconds: one has 1 to " +
                 std::to_string(kMaxTtl.count()));
}

}  // namespace pileus::state
