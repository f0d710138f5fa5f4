#include "state/etcd/cluster.h"

#include <algorithm>
#include <thread>

namespace pileus::state::etcd {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kReadTry{1500};   // a read that took longer is asked of the next member
constexpr std::chrono::milliseconds kPause{50};       // between tries
constexpr std::chrono::milliseconds kStreamTry{3000};

std::chrono::milliseconds until(Clock::time_point deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::create(std::vector<std::string> endpoints, http::ClientOptions client,
                                                 std::chrono::milliseconds patience) {
  if (endpoints.empty()) return Error(ErrorCode::kInvalid, "an etcd cluster needs at least one address");
  std::unique_ptr<http::Client> made = TRY(http::Client::create(std::move(client)));
  return std::unique_ptr<Cluster>(new Cluster(std::move(endpoints), std::move(made), patience));
}

http::ClientRequest Cluster::request(std::size_t member, const std::string& path, const std::string& body) const {
  http::ClientRequest made;
  made.method = "POST";
  made.url = endpoints_[member] + path;
  made.body = body;
  // A member that has no leader says so at once, instead of letting us wait.
  made.headers.add("Grpc-Metadata-hasleader", "true");
  made.headers.add("Content-Type", "application/json");
  return made;
}

Result<std::string> Cluster::ask(const std::string& path, const std::string& body, bool repeatable) {
  const auto deadline = Clock::now() + patience_;
  std::string last = "no answer";
  while (true) {
    const auto left = until(deadline);
    if (left.count() <= 0) {
      return Error(ErrorCode::kBusy, "no member of the etcd cluster could do it in time, the last said: " + last);
    }
    const std::size_t asked = member();
    http::ClientRequest made = request(asked, path, body);
    made.timeout = repeatable ? std::min(left, kReadTry) : left;
    made.repeatable = repeatable;
    Result<http::Response> answer = client_->send(made);
    if (answer.ok() && answer->status == 200) return std::move(answer->body);

    Verdict verdict{ErrorCode::kBusy, false, true};
    if (answer.ok()) {
      const Failure failure = parse_failure(answer->body);
      verdict = judge(failure);
      last = endpoints_[asked] + ": " + failure.message;
    } else {
      last = answer.error().message();
      const ErrorCode code = answer.error().code();
      // These say that nothing was sent, or that no member will do better.
      const bool useless = code == ErrorCode::kExhausted || code == ErrorCode::kInvalid;
      verdict = {useless ? code : ErrorCode::kTimeout,
                 code == ErrorCode::kNotFound || code == ErrorCode::kPermission || useless, !useless};
    }
    if (!verdict.retry) return Error(verdict.code, "etcd: " + last);
    leave(asked);
    if (!repeatable && !verdict.nothing_happened) {
      return Error(ErrorCode::kTimeout, "etcd: " + last + "; the change may have been made");
    }
    std::this_thread::sleep_for(std::clamp(until(deadline), std::chrono::milliseconds(0), kPause));
  }
}

Result<std::unique_ptr<http::ClientStream>> Cluster::open(std::size_t member, const std::string& path,
                                                          const std::string& body) {
  http::ClientRequest made = request(member, path, body);
  made.timeout = kStreamTry;
  return client_->open(made);
}

bool Cluster::is_alive(std::size_t member, std::chrono::milliseconds timeout) {
  http::ClientRequest made = request(member, "/v3/kv/range", encode_get(Get{KeyRange::key("a"), 1, true}, 0));
  made.timeout = timeout;
  made.repeatable = true;
  const auto answer = client_->send(made);
  return answer.ok() && answer->status == 200;
}

void Cluster::leave(std::size_t member) {
  // Only if nobody has done so already.
  std::size_t now = current_;
  if (now % endpoints_.size() == member) current_.compare_exchange_strong(now, now + 1);
}

}  // namespace pileus::state::etcd
