// The requests to etcd. Fields have their numbers in rpc.proto; each function names the message it makes.
#include <array>

#include "state/etcd/messages.h"
#include "state/etcd/protobuf.h"

namespace pileus::state::etcd {
namespace {

u64 number_of(LeaseId lease) { return static_cast<u64>(lease); }

// `key` and `range_end`, which are the first fields wherever they are. etcd takes an empty key for none, and "\0" for both
// "from the first" and "to the last".
void add_range(MessageWriter& message, const KeyRange& range) {
  const std::string bound(1, '\0');
  message.bytes(1, range.begin.empty() ? bound : range.begin);
  message.bytes(2, range.end.empty() ? bound : range.end);
}

// RangeRequest
MessageWriter range_request(const Get& what, Revision revision) {
  MessageWriter message;
  add_range(message, what.range);
  message.number(3, std::min(what.limit, u64{1} << 62)).number(4, revision).number(8, what.keys_only ? 1 : 0);
  return message;
}

// Compare; what it is compared with is one of several fields. A number that is left out is 0 to etcd.
MessageWriter compare(const Compare& compare) {
  struct Field {
    u64 target;
    u32 number;
  };
  // As in Compare::Field and Compare::Is.
  static constexpr std::array<Field, 5> kFields = {{{1, 5}, {2, 6}, {0, 4}, {4, 8}, {3, 7}}};
  static constexpr std::array<u64, 4> kResults = {0, 3, 2, 1};
  const Field field = kFields[static_cast<std::size_t>(compare.field)];
  MessageWriter message;
  message.number(1, kResults[static_cast<std::size_t>(compare.is)]).number(2, field.target).bytes(3, compare.key);
  if (compare.field == Compare::Field::kValue) message.bytes(field.number, compare.value);
  else message.number(field.number, compare.number);
  return message;
}

// RequestOp
MessageWriter request(const Operation& operation) {
  MessageWriter message;
  MessageWriter inner;
  if (const auto* get = std::get_if<Get>(&operation)) {
    message.message(1, range_request(*get, 0));
  } else if (const auto* erase = std::get_if<Delete>(&operation)) {
    add_range(inner, erase->range);
    message.message(3, inner);
  } else {
    const Put& put = std::get<Put>(operation);
    inner.bytes(1, put.key).bytes(2, put.value).number(3, number_of(put.lease));
    message.message(2, inner);
  }
  return message;
}

}  // namespace

// TxnRequest
std::string encode_transaction(const Transaction& transaction) {
  MessageWriter message;
  for (const Compare& each : transaction.conditions) message.message(1, compare(each));
  for (const Operation& each : transaction.then) message.message(2, request(each));
  for (const Operation& each : transaction.otherwise) message.message(3, request(each));
  return message.take();
}

std::string encode_get(const Get& what, Revision revision) { return range_request(what, revision).take(); }

// WatchRequest with a WatchCreateRequest
std::string encode_watch(const KeyRange& range, Revision first, bool fragments) {
  MessageWriter create;
  add_range(create, range);
  create.number(3, first).number(8, fragments ? 1 : 0);
  return MessageWriter().message(1, create).take();
}

// LeaseGrantRequest
std::string encode_grant(std::chrono::seconds ttl) {
  return MessageWriter().number(1, static_cast<u64>(ttl.count())).take();
}

// LeaseRevokeRequest, LeaseKeepAliveRequest
std::string encode_lease(LeaseId lease) { return MessageWriter().number(1, number_of(lease)).take(); }

// CompactionRequest
std::string encode_compact(Revision revision) { return MessageWriter().number(1, revision).take(); }

}  // namespace pileus::state::etcd
