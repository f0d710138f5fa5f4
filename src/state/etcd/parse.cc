// The answers of etcd. Fields have their numbers in rpc.proto and kv.proto; each function names the message it reads, and
// leaves out what is of no use to us.
#include "state/etcd/messages.h"
#include "state/etcd/protobuf.h"

namespace pileus::state::etcd {
namespace {

constexpr u64 kMaxTtlAnswer = u64{1} << 32;  // seconds

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt,
          "etcd answered " + std::string(what) + " in a form that is not its own; is it etcd 3.4 or newer?"};
}

// ResponseHeader
bool read_header(std::string_view bytes, Revision& revision) {
  MessageReader message(bytes);
  while (message.next()) {
    if (message.field() == 3) revision = message.number();
  }
  return message.good();
}

// KeyValue
bool read_key_value(std::string_view bytes, KeyValue& entry) {
  MessageReader message(bytes);
  while (message.next()) {
    switch (message.field()) {
      case 1: entry.key = message.bytes(); break;
      case 2: entry.create_revision = message.number(); break;
      case 3: entry.mod_revision = message.number(); break;
      case 4: entry.version = message.number(); break;
      case 5: entry.value = message.bytes(); break;
      case 6: entry.lease = LeaseId{message.number()}; break;
      default: break;
    }
  }
  return message.good();
}

// RangeResponse
bool read_range(std::string_view bytes, GetResult& result, Revision& revision) {
  MessageReader message(bytes);
  bool good = true;
  while (message.next()) {
    switch (message.field()) {
      case 1: good &= read_header(message.bytes(), revision); break;
      case 2: good &= read_key_value(message.bytes(), result.entries.emplace_back()); break;
      case 3: result.more = message.number() != 0; break;
      case 4: result.count = message.number(); break;
      default: break;
    }
  }
  return good && message.good();
}

// DeleteRangeResponse
bool read_delete(std::string_view bytes, DeleteResult& result) {
  MessageReader message(bytes);
  while (message.next()) {
    if (message.field() == 2) result.count = message.number();
  }
  return message.good();
}

// ResponseOp: of the operation's kind, or it is not what was asked for.
bool read_response(std::string_view bytes, const Operation& operation, OperationResult& result) {
  MessageReader message(bytes);
  bool read = false;
  while (message.next()) {
    if (message.field() == 1 && std::holds_alternative<Get>(operation)) {
      Revision unused = 0;
      read = read_range(message.bytes(), result.emplace<GetResult>(), unused);
    } else if (message.field() == 2 && std::holds_alternative<Put>(operation)) {
      read = true;
      result = PutResult{};
    } else if (message.field() == 3 && std::holds_alternative<Delete>(operation)) {
      read = read_delete(message.bytes(), result.emplace<DeleteResult>());
    }
  }
  return read && message.good();
}

// Event
bool read_event(std::string_view bytes, Event& event) {
  MessageReader message(bytes);
  bool good = true;
  while (message.next()) {
    if (message.field() == 1 && message.number() != 0) event.kind = Event::Kind::kDelete;
    if (message.field() == 2) good &= read_key_value(message.bytes(), event.entry);
  }
  return good && message.good() && !event.entry.key.empty() && event.entry.mod_revision != 0;
}

}  // namespace

// TxnResponse
Result<TransactionResult> parse_transaction(const Transaction& transaction, std::string_view bytes) {
  MessageReader message(bytes);
  TransactionResult result;
  std::vector<std::string_view> responses;
  bool good = true;
  while (message.next()) {
    switch (message.field()) {
      case 1: good &= read_header(message.bytes(), result.revision); break;
      case 2: result.succeeded = message.number() != 0; break;
      case 3: responses.push_back(message.bytes()); break;
      default: break;
    }
  }
  const auto& branch = result.succeeded ? transaction.then : transaction.otherwise;
  good &= message.good() && result.revision != 0 && responses.size() == branch.size();
  for (std::size_t i = 0; good && i < branch.size(); ++i) {
    good = read_response(responses[i], branch[i], result.results.emplace_back());
  }
  if (!good) return corrupt("a transaction");
  return result;
}

Result<Snapshot> parse_snapshot(std::string_view bytes) {
  GetResult got;
  Revision revision = 0;
  if (!read_range(bytes, got, revision) || revision == 0) return corrupt("a range");
  return Snapshot{std::move(got.entries), got.count, got.more, revision};
}

// LeaseGrantResponse
Result<Lease> parse_lease(std::string_view bytes) {
  MessageReader message(bytes);
  Lease lease;
  u64 ttl = 0;
  while (message.next()) {
    if (message.field() == 2) lease.id = LeaseId{message.number()};
    if (message.field() == 3) ttl = message.number();
  }
  if (!message.good() || lease.id == LeaseId::kNone || ttl == 0 || ttl > kMaxTtlAnswer) return corrupt("a lease");
  lease.ttl = std::chrono::seconds(static_cast<i64>(ttl));
  return lease;
}

// LeaseKeepAliveResponse
Result<std::chrono::seconds> parse_keep_alive(std::string_view bytes) {
  MessageReader message(bytes);
  u64 id = 0;
  u64 ttl = 0;
  while (message.next()) {
    if (message.field() == 2) id = message.number();
    if (message.field() == 3) ttl = message.number();
  }
  if (!message.good() || id == 0 || ttl > kMaxTtlAnswer) return corrupt("a kept lease");
  return std::chrono::seconds(static_cast<i64>(ttl));
}

// WatchResponse
Result<WatchMessage> parse_watch(std::string_view bytes) {
  MessageReader message(bytes);
  WatchMessage result;
  bool good = true;
  while (message.next()) {
    switch (message.field()) {
      case 4: result.ended = message.number() != 0; break;
      case 5: result.compact_revision = message.number(); break;
      case 6: result.reason = message.bytes(); break;
      case 7: result.fragment = message.number() != 0; break;
      case 11: good &= read_event(message.bytes(), result.events.emplace_back()); break;
      default: break;
    }
  }
  if (!good || !message.good()) return corrupt("a watch");
  return result;
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
