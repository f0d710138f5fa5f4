#include "state/open.h"

#include <algorithm>

#include "state/etcd/store.h"
#include "state/sqlite/store.h"

namespace pileus::state {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kEtcd = "etcd://";
constexpr std::string_view kEtcdTls = "etcds://";

Error unknown(const std::string& where) {
  return {ErrorCode::kInvalid, "\"" + where +
                                   "\" names no state store; give sqlite:FOLDER, etcd://HOST:PORT,... or "
                                   "etcds://HOST:PORT,..."};
}

bool is_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() - colon < 2 || text.size() - colon > 6) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_host = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '[' ||
           c == ']' || c == ':';
  };
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), is_host) &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(), is_digit);
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const std::string& where, const StoreTls& tls) {
  if (where.starts_with(kSqlite)) {
    if (where.size() == kSqlite.size()) return unknown(where);
    sqlite::Options options;
    options.folder = where.substr(kSqlite.size());
    return sqlite::open(options);
  }
  const bool with_tls = where.starts_with(kEtcdTls);
  if (!with_tls && !where.starts_with(kEtcd)) return unknown(where);
  etcd::Options options;
  options.client.ca = tls.ca;
  options.client.certificate = tls.certificate;
  options.client.key = tls.key;
  std::string_view rest = std::string_view(where).substr(with_tls ? kEtcdTls.size() : kEtcd.size());
  while (true) {
    const auto comma = rest.find(',');
    const std::string_view member = rest.substr(0, comma);
    if (!is_host_and_port(member)) return unknown(where);
    options.endpoints.push_back((with_tls ? "https://" : "http://") + std::string(member));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return etcd::open(std::move(options));
}

}  // namespace pileus::state
