#include "state/open.h"

#include "state/sqlite/store.h"

namespace pileus::state {

Result<std::unique_ptr<Store>> open_store(const std::string& where, const StoreTls& /*tls*/) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (where.starts_with(kSqlite) && where.size() > kSqlite.size()) {
    return sqlite::open({where.substr(kSqlite.size()), std::chrono::seconds(10), 4});
  }
  return Error(ErrorCode::kInvalid, "\"" + where + "\" names no state store; give sqlite:FOLDER");
}

}  // namespace pileus::state
