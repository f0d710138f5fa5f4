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
  std::unique_ptr<http::Client> made = TRY(http::make_http2_client(std::move(client)));
  return std::unique_ptr<Cluster>(new Cluster(std::move(endpoints), std::move(made), patience));
}

http::ClientRequest Cluster::request(std::size_t member, const std::string& method, const std::string& body) const {
  http::ClientRequest made = make_call(endpoints_[member] + method, body);
  // A member that has no leader says so at once, instead of letting us wait.
  made.headers.add("hasleader", "true");
  return made;
}

Result<std::string> Cluster::ask(const std::string& method, const std::string& body, bool repeatable) {
  const auto deadline = Clock::now() + patience_;
  std::string last = "no answer";
  while (true) {
    const auto left = until(deadline);
    if (left.count() <= 0) {
      return Error(ErrorCode::kBusy, "no member of the etcd cluster could do it in time, the last said: " + last);
    }
    const std::size_t asked = member();
    http::ClientRequest made = request(asked, method, body);
    made.timeout = repeatable ? std::min(left, kReadTry) : left;
    made.repeatable = repeatable;
    Result<http::Response> answer = client_->send(made);

    Verdict verdict{ErrorCode::kBusy, false, true};
    if (answer.ok()) {
      Outcome outcome = outcome_of(*answer);
      if (auto* message = std::get_if<std::string>(&outcome)) return std::move(*message);
      const Failure& failure = std::get<Failure>(outcome);
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

Result<std::unique_ptr<http::ClientStream>> Cluster::open(std::size_t member, const std::string& method,
                                                          const std::string& body) {
  http::ClientRequest made = request(member, method, body);
  made.timeout = kStreamTry;
  return client_->open(made);
}

bool Cluster::is_alive(std::size_t member, std::chrono::milliseconds timeout) {
  http::ClientRequest made = request(member, kRange, encode_get(Get{KeyRange::key("a"), 1, true}, 0));
  made.timeout = timeout;
  made.repeatable = true;
  const auto answer = client_->send(made);
  return answer.ok() && std::holds_alternative<std::string>(outcome_of(*answer));
}

void Cluster::leave(std::size_t member) {
  // Only if nobody has done so already.
  std::size_t now = current_;
  if (now % endpoints_.size() == member) current_.compare_exchange_strong(now, now + 1);
}

}  // namespace pileus::state::etcd
