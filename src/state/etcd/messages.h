// The messages of etcd's gRPC API (etcd 3.4, api/etcdserverpb/rpc.proto and mvcc/mvccpb/kv.proto): what we send, and what
// we take from its answers. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "state/etcd/grpc.h"
#include "state/store.h"

namespace pileus::state::etcd {

std::string encode_transaction(const Transaction& transaction);
std::string encode_get(const Get& what, Revision revision);
// `fragments`: etcd is to cut its messages at 1.5 MiB.
std::string encode_watch(const KeyRange& range, Revision first, bool fragments);
std::string encode_grant(std::chrono::seconds ttl);
std::string encode_lease(LeaseId lease);
std::string encode_compact(Revision revision);

// All of them: kCorrupt for an answer that is not what it should be.
Result<TransactionResult> parse_transaction(const Transaction& transaction, std::string_view message);
Result<Snapshot> parse_snapshot(std::string_view message);
Result<Lease> parse_lease(std::string_view message);
// 0: the lease has expired.
Result<std::chrono::seconds> parse_keep_alive(std::string_view message);

// One message of a watch's answer.
struct WatchMessage {
  std::vector<Event> events;
  bool fragment = false;  // the last revision's events go on in the next message
  bool ended = false;  // the server has ended the watch
  std::string reason;  // why
  Revision compact_revision = 0;  // because of this, if not 0
};
Result<WatchMessage> parse_watch(std::string_view message);

// What a failure means for the caller (the rules of store.h), and whether another member may do better.
struct Verdict {
  ErrorCode code;
  bool nothing_happened;  // else a change may have been made
  bool retry;  // if the request can be sent twice, or nothing happened
};
Verdict judge(const Failure& failure);

}  // namespace pileus::state::etcd
