// The requests to etcd.
#include "state/etcd/messages.h"

#include <nlohmann/json.hpp>

#include "http/base64.h"

namespace pileus::state::etcd {
namespace {

using Json = nlohmann::json;

std::string bytes(std::string_view value) { return http::encode_base64(value); }
std::string number(u64 value) { return std::to_string(value); }
// All is base64 and numbers: what cannot be encoded as UTF-8 cannot come up.
std::string text(const Json& json) { return json.dump(); }

// etcd takes an empty key for none, and "\0" for both "from the first" and "to the last".
void add_range(Json& json, const KeyRange& range) {
  const std::string bound(1, '\0');
  json["key"] = bytes(range.begin.empty() ? bound : range.begin);
  json["range_end"] = bytes(range.end.empty() ? bound : range.end);
}

Json range_request(const Get& what) {
  Json json;
  add_range(json, what.range);
  if (what.limit != 0) json["limit"] = number(std::min(what.limit, u64{1} << 62));
  if (what.keys_only) json["keys_only"] = true;
  return json;
}

Json compare(const Compare& compare) {
  static constexpr const char* kTargets[] = {"CREATE", "MOD", "VERSION", "LEASE", "VALUE"};
  static constexpr const char* kFields[] = {"create_revision", "mod_revision", "version", "lease", "value"};
  static constexpr const char* kResults[] = {"EQUAL", "NOT_EQUAL", "LESS", "GREATER"};
  const auto field = static_cast<std::size_t>(compare.field);
  Json json;
  json["key"] = bytes(compare.key);
  json["target"] = kTargets[field];
  json["result"] = kResults[static_cast<std::size_t>(compare.is)];
  json[kFields[field]] = compare.field == Compare::Field::kValue ? bytes(compare.value) : number(compare.number);
  return json;
}

Json request(const Operation& operation) {
  Json json;
  if (const auto* get = std::get_if<Get>(&operation)) {
    json["requestRange"] = range_request(*get);
  } else if (const auto* erase = std::get_if<Delete>(&operation)) {
    add_range(json["requestDeleteRange"], erase->range);
  } else {
    const Put& put = std::get<Put>(operation);
    Json& inner = json["requestPut"];
    inner["key"] = bytes(put.key);
    inner["value"] = bytes(put.value);
    if (put.lease != LeaseId::kNone) inner["lease"] = number(static_cast<u64>(put.lease));
  }
  return json;
}

Json requests(const std::vector<Operation>& branch) {
  Json json = Json::array();
  for (const Operation& operation : branch) json.push_back(request(operation));
  return json;
}

}  // namespace

std::string encode_transaction(const Transaction& transaction) {
  Json json = Json::object();
  if (!transaction.conditions.empty()) {
    for (const Compare& each : transaction.conditions) json["compare"].push_back(compare(each));
  }
  json["success"] = requests(transaction.then);
  json["failure"] = requests(transaction.otherwise);
  return text(json);
}

std::string encode_get(const Get& what, Revision revision) {
  Json json = range_request(what);
  if (revision != 0) json["revision"] = number(revision);
  return text(json);
}

std::string encode_watch(const KeyRange& range, Revision first) {
  Json json;
  Json& create = json["create_request"];
  add_range(create, range);
  create["start_revision"] = number(first);
  create["fragment"] = true;
  return text(json);
}

std::string encode_grant(std::chrono::seconds ttl) {
  return text(Json{{"TTL", number(static_cast<u64>(ttl.count()))}});
}

std::string encode_lease(LeaseId lease) { return text(Json{{"ID", number(static_cast<u64>(lease))}}); }

std::string encode_compact(Revision revision) { return text(Json{{"revision", number(revision)}}); }

}  // namespace pileus::state::etcd
