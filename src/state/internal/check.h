// What both stores refuse before they begin: limits and rules of store.h. All errors are kInvalid.
#pragma once

#include "state/store.h"

namespace pileus::state {

Result<> check_transaction(const Transaction& transaction);
Result<> check_range(const KeyRange& range);
Result<> check_ttl(std::chrono::seconds ttl);

}  // namespace pileus::state
