#include "host/cloud_link.h"

#include <atomic>
#include <mutex>

#include "host/internal/refusal.h"
#include "http/certificates.h"

namespace pileus::host {
namespace {

constexpr std::chrono::seconds kPatience{10};

class HttpLink final : public CloudLink {
 public:
  HttpLink(Membership membership, std::unique_ptr<http::Client> client)
      : membership_(std::move(membership)), client_(std::move(client)) {}

  Result<control::ReportAnswer> report(const control::HostReport& report) override {
    const std::string body = TRY(post(control::kReportPath, control::encode(report)));
    return control::parse_report_answer(body);
  }

  Result<> observe(const control::Observation& observation) override {
    TRY(post(control::kObservePath, control::encode(observation)));
    return {};
  }

  Result<> observe(const control::VolumeObservation& observation) override {
    TRY(post(control::kObserveVolumePath, control::encode(observation)));
    return {};
  }

  Result<> observe(const control::SnapshotObservation& observation) override {
    TRY(post(control::kObserveSnapshotPath, control::encode(observation)));
    return {};
  }

  Result<> observe(const control::TransferObservation& observation) override {
    TRY(post(control::kObserveTransferPath, control::encode(observation)));
    return {};
  }

  Result<control::Assignments> assignments() override {
    const std::string body = TRY(post(control::kAssignmentsPath, ""));
    return control::parse_assignments(body);
  }

  Result<std::string> network() override { return post(control::kNetworkPath, ""); }

  Result<control::Assignments> next_assignments() override {
    const std::string body = TRY(wait(std::string(control::kAssignmentsPath) + "?known=" + known_, assignments_call_));
    control::Assignments list = TRY(control::parse_assignments(body));
    known_ = http::sha256_hex(body);
    return list;
  }

  Result<control::ConsoleWishes> console_wishes(u64 after) override {
    const std::string path = std::string(control::kConsoleWishesPath) + "?after=" + std::to_string(after);
    const std::string body = TRY(wait(path, consoles_call_));
    return control::parse_console_wishes(body);
  }

  Result<> console_output(const control::ConsoleOutput& output) override {
    TRY(post(control::kConsoleOutputPath, control::encode(output)));
    return {};
  }

  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (const std::weak_ptr<http::ClientStream>* call : {&assignments_call_, &consoles_call_}) {
      if (const std::shared_ptr<http::ClientStream> stream = call->lock()) stream->cancel();
    }
  }

 private:
  // A long poll of the present cloud manager; one that fails is left.
  Result<std::string> wait(const std::string& path, std::weak_ptr<http::ClientStream>& call) {
    const std::size_t manager = current_;
    Result<std::string> body = wait_at(manager, path, call);
    if (!body) leave(manager);
    return body;
  }

  // As a stream, because only such a request can be cancelled.
  Result<std::string> wait_at(std::size_t manager, const std::string& path, std::weak_ptr<http::ClientStream>& call) {
    http::ClientRequest request = make(manager, path, "");
    request.timeout = control::kLongPoll + kPatience;
    std::shared_ptr<http::ClientStream> stream = TRY(client_->open(request));
    {
      const std::lock_guard lock(mutex_);
      if (cancelled_) return Error(ErrorCode::kBusy, "cancelled");
      call = stream;
    }
    std::string body;
    while (true) {
      const std::optional<std::string> part = TRY(stream->read(control::kLongPoll + kPatience));
      if (!part) break;
      body += *part;
    }
    if (stream->status() != 200) return refusal(stream->status(), body);
    return body;
  }

  http::ClientRequest make(std::size_t manager, const std::string& path, std::string body) const {
    http::ClientRequest request;
    request.method = "POST";
    request.url = membership_.urls[manager % membership_.urls.size()] + path;
    request.body = std::move(body);
    request.timeout = kPatience;
    request.repeatable = true;  // all of them say how things are: twice is as good as once
    return request;
  }

  Result<std::string> post(std::string_view path, std::string body) {
    Result<std::string> answer = Error(ErrorCode::kInvalid, "there is no cloud manager");
    for (std::size_t i = 0; i < membership_.urls.size(); ++i) {
      const std::size_t manager = current_;
      Result<http::Response> response = client_->send(make(manager, std::string(path), body));
      if (response && response->status == 200) return std::move(response->body);
      const bool works = response && response->status < 500;
      answer = response ? refusal(response->status, response->body) : response.error();
      if (works) break;
      leave(manager);
    }
    return answer;
  }

  // From now on the next one is asked, unless somebody has left this one already.
  void leave(std::size_t manager) { current_.compare_exchange_strong(manager, manager + 1); }

  const Membership membership_;
  const std::unique_ptr<http::Client> client_;
  std::atomic<std::size_t> current_{0};  // counts up, so that nobody leaves twice
  std::string known_;  // digest of the last answer; of the thread that waits
  std::mutex mutex_;
  bool cancelled_ = false;
  std::weak_ptr<http::ClientStream> assignments_call_;  // guarded by mutex_, as the next
  std::weak_ptr<http::ClientStream> consoles_call_;
};

}  // namespace

Result<std::unique_ptr<CloudLink>> CloudLink::open(const Membership& membership) {
  std::unique_ptr<http::Client> client = TRY(http::Client::create(membership.client_options()));
  return std::unique_ptr<CloudLink>(std::make_unique<HttpLink>(membership, std::move(client)));
}

}  // namespace pileus::host
