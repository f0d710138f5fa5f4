// The messages of etcd's JSON gateway (etcd 3.4, api/etcdserverpb/rpc.proto by grpc-gateway): what we send, and what we
// take from its answers. Pure functions. Numbers of 64 bits are strings there, bytes are base64, and fields with the value
// 0, false or "" are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "state/store.h"

namespace pileus::state::etcd {

std::string encode_transaction(const Transaction& transaction);
std::string encode_get(const Get& what, Revision revision);
std::string encode_watch(const KeyRange& range, Revision first);
std::string encode_grant(std::chrono::seconds ttl);
std::string encode_lease(LeaseId lease);
std::string encode_compact(Revision revision);

// All of them: kCorrupt for an answer that is not what it should be.
Result<TransactionResult> parse_transaction(const Transaction& transaction, std::string_view json);
Result<Snapshot> parse_snapshot(std::string_view json);
Result<Lease> parse_lease(std::string_view json);
// 0: the lease has expired.
Result<std::chrono::seconds> parse_keep_alive(std::string_view json);

// One line of a watch's answer.
struct WatchMessage {
  std::vector<Event> events;
  bool fragment = false;  // the last revision's events go on in the next message
  bool ended = false;  // the server has ended the watch
  Revision compact_revision = 0;  // because of this, if not 0
};
Result<WatchMessage> parse_watch(std::string_view json);

// An answer that tells of an error: its code as in gRPC and its text.
struct Failure {
  int code = 0;
  std::string message;
};
Failure parse_failure(std::string_view json);

// What it means for the caller (the rules of store.h), and whether another member may do better.
struct Verdict {
  ErrorCode code;
  bool nothing_happened;  // else a change may have been made
  bool retry;  // if the request can be sent twice, or nothing happened
};
Verdict judge(const Failure& failure);

}  // namespace pileus::state::etcd
