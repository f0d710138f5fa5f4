// The answers of etcd.
#include <charconv>
#include <nlohmann/json.hpp>

#include "http/base64.h"
#include "state/etcd/messages.h"

namespace pileus::state::etcd {
namespace {

using Json = nlohmann::json;

// Reads fields of an object; remembers whether any was wrong.
class Reader {
 public:
  u64 number(const Json& object, const char* name) {
    const Json* field = find(object, name);
    if (field == nullptr) return 0;
    if (field->is_number_unsigned()) return field->get<u64>();
    u64 value = 0;
    if (!field->is_string()) return fail();
    const auto& digits = field->get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return fail();
    return value;
  }
  std::string blob(const Json& object, const char* name) {
    const Json* field = find(object, name);
    if (field == nullptr) return {};
    auto decoded = field->is_string() ? http::decode_base64(field->get_ref<const std::string&>()) : std::nullopt;
    if (!decoded) fail();
    return std::move(decoded).value_or(std::string());
  }
  bool flag(const Json& object, const char* name) {
    const Json* field = find(object, name);
    if (field == nullptr) return false;
    if (!field->is_boolean()) return fail() != 0;
    return field->get<bool>();
  }
  const Json& child(const Json& object, const char* name) {
    static const Json kNothing = Json::object();
    const Json* field = find(object, name);
    if (field == nullptr) return kNothing;
    if (!field->is_object()) fail();
    return *field;
  }
  const Json& list(const Json& object, const char* name) {
    static const Json kNothing = Json::array();
    const Json* field = find(object, name);
    if (field == nullptr) return kNothing;
    if (field->is_array()) return *field;
    fail();
    return kNothing;
  }
  bool good() const { return good_; }
  u64 fail() {
    good_ = false;
    return 0;
  }

 private:
  const Json* find(const Json& object, const char* name) {
    if (!object.is_object()) {
      fail();
      return nullptr;
    }
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  bool good_ = true;
};

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt,
          "etcd answered " + std::string(what) + " in a form that is not its own; is it etcd 3.4 or newer?"};
}

Result<Json> parse_object(std::string_view json, std::string_view what) {
  Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return corrupt(what);
  return parsed;
}

KeyValue key_value(Reader& reader, const Json& json) {
  KeyValue entry;
  entry.key = reader.blob(json, "key");
  entry.value = reader.blob(json, "value");
  entry.create_revision = reader.number(json, "create_revision");
  entry.mod_revision = reader.number(json, "mod_revision");
  entry.version = reader.number(json, "version");
  entry.lease = LeaseId{reader.number(json, "lease")};
  return entry;
}

GetResult range_response(Reader& reader, const Json& json) {
  GetResult result;
  for (const Json& entry : reader.list(json, "kvs")) result.entries.push_back(key_value(reader, entry));
  result.count = reader.number(json, "count");
  result.more = reader.flag(json, "more");
  return result;
}

Revision header_revision(Reader& reader, const Json& json) {
  return reader.number(reader.child(json, "header"), "revision");
}

OperationResult response(Reader& reader, const Operation& operation, const Json& json) {
  if (std::holds_alternative<Get>(operation)) return range_response(reader, reader.child(json, "response_range"));
  if (std::holds_alternative<Delete>(operation)) {
    return DeleteResult{reader.number(reader.child(json, "response_delete_range"), "deleted")};
  }
  return PutResult{};
}

Event event_of(Reader& reader, const Json& json) {
  Event event;
  event.entry = key_value(reader, reader.child(json, "kv"));
  const auto type = json.is_object() ? json.find("type") : json.end();
  if (json.is_object() && type != json.end() && *type == "DELETE") event.kind = Event::Kind::kDelete;
  if (event.entry.key.empty() || event.entry.mod_revision == 0) reader.fail();
  return event;
}

}  // namespace

Result<TransactionResult> parse_transaction(const Transaction& transaction, std::string_view json) {
  constexpr std::string_view kWhat = "a transaction";
  const Json parsed = TRY(parse_object(json, kWhat));
  Reader reader;
  TransactionResult result;
  result.succeeded = reader.flag(parsed, "succeeded");
  result.revision = header_revision(reader, parsed);
  const auto& branch = result.succeeded ? transaction.then : transaction.otherwise;
  const Json& responses = reader.list(parsed, "responses");
  if (responses.size() != branch.size() || result.revision == 0) return corrupt(kWhat);
  for (std::size_t i = 0; i < branch.size(); ++i) result.results.push_back(response(reader, branch[i], responses[i]));
  if (!reader.good()) return corrupt(kWhat);
  return result;
}

Result<Snapshot> parse_snapshot(std::string_view json) {
  constexpr std::string_view kWhat = "a range";
  const Json parsed = TRY(parse_object(json, kWhat));
  Reader reader;
  GetResult got = range_response(reader, parsed);
  Snapshot snapshot{std::move(got.entries), got.count, got.more, header_revision(reader, parsed)};
  if (!reader.good() || snapshot.revision == 0) return corrupt(kWhat);
  return snapshot;
}

Result<Lease> parse_lease(std::string_view json) {
  constexpr std::string_view kWhat = "a lease";
  const Json parsed = TRY(parse_object(json, kWhat));
  Reader reader;
  const u64 ttl = reader.number(parsed, "TTL");
  const Lease lease{LeaseId{reader.number(parsed, "ID")}, std::chrono::seconds(static_cast<i64>(ttl))};
  if (!reader.good() || lease.id == LeaseId::kNone || ttl == 0 || ttl > (u64{1} << 32)) return corrupt(kWhat);
  return lease;
}

Result<std::chrono::seconds> parse_keep_alive(std::string_view json) {
  constexpr std::string_view kWhat = "a kept lease";
  const Json parsed = TRY(parse_object(json, kWhat));
  Reader reader;
  const u64 ttl = reader.number(reader.child(parsed, "result"), "TTL");
  if (!reader.good() || !parsed.contains("result") || ttl > (u64{1} << 32)) return corrupt(kWhat);
  return std::chrono::seconds(static_cast<i64>(ttl));
}

Result<WatchMessage> parse_watch(std::string_view json) {
  constexpr std::string_view kWhat = "a watch";
  const Json parsed = TRY(parse_object(json, kWhat));
  Reader reader;
  WatchMessage message;
  if (parsed.contains("error")) {
    message.ended = true;
    return message;
  }
  const Json& result = reader.child(parsed, "result");
  for (const Json& event : reader.list(result, "events")) message.events.push_back(event_of(reader, event));
  message.fragment = reader.flag(result, "fragment");
  message.ended = reader.flag(result, "canceled");
  message.compact_revision = reader.number(result, "compact_revision");
  if (!reader.good() || !parsed.contains("result")) return corrupt(kWhat);
  return message;
}

Failure parse_failure(std::string_view json) {
  Failure failure{0, "no reason given"};
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return failure;
  // A stream has {"error": {"grpc_code": ..., "message": ...}}, all others {"error": "...", "code": ...}.
  const auto error = parsed.find("error");
  const Json& object = error != parsed.end() && error->is_object() ? *error : parsed;
  for (const char* name : {"code", "grpc_code"}) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_number_unsigned() && found->get<u64>() < 100)
      failure.code = found->get<int>();
  }
  for (const char* name : {"error", "message"}) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_string()) failure.message = found->get<std::string>();
  }
  return failure;
}

Verdict judge(const Failure& failure) {
  // gRPC's codes: https://grpc.io/docs/guides/status-codes; etcd's texts: etcdserver/api/v3rpc/rpctypes/error.go.
  enum {
    kInvalidArgument = 3,
    kNotFound = 5,
    kPermissionDenied = 7,
    kResourceExhausted = 8,
    kOutOfRange = 11,
    kUnauthenticated = 16
  };
  const auto says = [&](std::string_view part) { return failure.message.find(part) != std::string::npos; };
  // Said before anything was proposed to the other members.
  if (says("no leader") || says("too many requests") || says("proposal dropped") || says("not capable")) {
    return {ErrorCode::kBusy, true, true};
  }
  switch (failure.code) {
    case kInvalidArgument: return {ErrorCode::kInvalid, true, false};
    case kNotFound: return {ErrorCode::kNotFound, true, false};
    case kPermissionDenied:
    case kUnauthenticated: return {ErrorCode::kPermission, true, false};
    case kResourceExhausted: return {ErrorCode::kExhausted, true, false};
    case kOutOfRange: return {says("compacted") ? ErrorCode::kGone : ErrorCode::kInvalid, true, false};
    default: return {ErrorCode::kTimeout, false, true};
  }
}

}  // namespace pileus::state::etcd
