// Cluster: the members of an etcd cluster, asked by gRPC; when one does not answer, the next. Any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "http/http2_client.h"
#include "state/etcd/messages.h"

namespace pileus::state::etcd {

// The methods of etcd's services that are called.
inline constexpr const char* kRange = "/etcdserverpb.KV/Range";
inline constexpr const char* kTransaction = "/etcdserverpb.KV/Txn";
inline constexpr const char* kCompact = "/etcdserverpb.KV/Compact";
inline constexpr const char* kWatch = "/etcdserverpb.Watch/Watch";
inline constexpr const char* kGrantLease = "/etcdserverpb.Lease/LeaseGrant";
inline constexpr const char* kKeepAlive = "/etcdserverpb.Lease/LeaseKeepAlive";
inline constexpr const char* kRevokeLease = "/etcdserverpb.Lease/LeaseRevoke";

class Cluster {
 public:
  // `endpoints` as URLs without a path: "http://127.0.0.1:2379".
  static Result<std::unique_ptr<Cluster>> create(std::vector<std::string> endpoints, http::ClientOptions client,
                                                 std::chrono::milliseconds patience);

  // Asks until a member has answered or the patience has ended. One that changes something is not sent again once it may
  // have been done (kTimeout).
  Result<std::string> read(const std::string& method, const std::string& body) { return ask(method, body, true); }
  Result<std::string> change(const std::string& method, const std::string& body) { return ask(method, body, false); }

  // For streams: the member that is asked first now, one request to it alone, and that another shall be.
  std::size_t member() const { return current_ % endpoints_.size(); }
  Result<std::unique_ptr<http::ClientStream>> open(std::size_t member, const std::string& method,
                                                   const std::string& body);
  // Whether it answers, and has a quorum with it.
  bool is_alive(std::size_t member, std::chrono::milliseconds timeout);
  void leave(std::size_t member);

 private:
  using Time = std::chrono::steady_clock::time_point;
  Cluster(std::vector<std::string> endpoints, std::unique_ptr<http::Client> client, std::chrono::milliseconds patience)
      : endpoints_(std::move(endpoints)), client_(std::move(client)), patience_(patience) {}
  Result<std::string> ask(const std::string& method, const std::string& body, bool repeatable);
  http::ClientRequest request(std::size_t member, const std::string& method, const std::string& body) const;

  const std::vector<std::string> endpoints_;
  const std::unique_ptr<http::Client> client_;
  const std::chrono::milliseconds patience_;
  std::atomic<std::size_t> current_ = 0;
};

}  // namespace pileus::state::etcd
