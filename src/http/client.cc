#include "http/client.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "http/internal/curl_transfer.h"

namespace pileus::http {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxIdle = 32;                  // connections kept for later requests
constexpr std::size_t kMaxUnread = 1 * kMiB;          // of a stream; then the server has to wait
constexpr std::chrono::milliseconds kLongestPoll{60000};

int poll_time(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  // Rounded up, so that the last poll is not a busy one.
  return static_cast<int>(
      std::clamp(left + std::chrono::milliseconds(1), std::chrono::milliseconds(0), kLongestPoll).count());
}

struct CloseMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

class CurlStream final : public ClientStream {
 public:
  CurlStream(const ClientOptions& options, ClientRequest request, std::unique_ptr<CURLM, CloseMulti> multi,
             CurlHandle handle)
      : multi_(std::move(multi)),
        header_deadline_(Clock::now() + request.timeout),
        transfer_(options, std::move(request), std::move(handle), kMaxUnread) {}

  Result<> start() {
    if (curl_multi_add_handle(multi_.get(), transfer_.easy()) != CURLM_OK) {
      return Error(ErrorCode::kExhausted, transfer_.url() + ": no memory for a request");
    }
    return {};
  }

  ~CurlStream() override { curl_multi_remove_handle(multi_.get(), transfer_.easy()); }

  Result<std::optional<std::string>> read(std::chrono::milliseconds timeout) override {
    const auto deadline = Clock::now() + timeout;
    while (true) {
      if (cancelled_) return Error(ErrorCode::kBusy, transfer_.url() + ": the request was cancelled");
      TRY(work());
      std::string unread = transfer_.take_body();
      if (!unread.empty()) return std::optional<std::string>(std::move(unread));
      if (ended_) return std::optional<std::string>();
      const auto now = Clock::now();
      const bool waits_for_headers = transfer_.status() == 0;
      if (waits_for_headers && now >= header_deadline_) return transfer_.no_answer_in_time();
      if (now >= deadline) return std::optional<std::string>(std::string());
      const int wait = poll_time(waits_for_headers ? std::min(deadline, header_deadline_) : deadline);
      curl_multi_poll(multi_.get(), nullptr, 0, wait, nullptr);
    }
  }

  int status() const override { return transfer_.status(); }
  std::optional<u64> length() const override { return transfer_.length(); }

  void cancel() override {
    cancelled_ = true;
    curl_multi_wakeup(multi_.get());
  }

 private:
  // What can be done without waiting.
  Result<> work() {
    if (ended_) return {};
    transfer_.resume();
    int running = 0;
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
      return Error(ErrorCode::kIo, transfer_.url() + ": the HTTP library failed");
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      ended_ = true;
      TRY(transfer_.outcome(message->data.result));
    }
    return {};
  }

  const std::unique_ptr<CURLM, CloseMulti> multi_;
  const Clock::time_point header_deadline_;
  CurlTransfer transfer_;
  bool ended_ = false;
  std::atomic<bool> cancelled_ = false;
};

class CurlClient final : public Client {
 public:
  explicit CurlClient(ClientOptions options) : options_(std::move(options)) {}

  Result<Response> send(const ClientRequest& request) override {
    CurlTransfer transfer(options_, request, TRY(take()), 0);
    const CURLcode code = curl_easy_perform(transfer.easy());
    Result<> outcome = transfer.outcome(code);
    Response response = transfer.take_response();
    give_back(transfer.release());
    if (!outcome.ok()) return std::move(outcome).error();
    return response;
  }

  Result<std::unique_ptr<ClientStream>> open(const ClientRequest& request) override {
    std::unique_ptr<CURLM, CloseMulti> multi(curl_multi_init());
    CurlHandle handle(curl_easy_init());
    if (!multi || !handle) return Error(ErrorCode::kExhausted, request.url + ": no memory for a request");
    auto stream = std::make_unique<CurlStream>(options_, request, std::move(multi), std::move(handle));
    TRY(stream->start());
    return std::unique_ptr<ClientStream>(std::move(stream));
  }

 private:
  Result<CurlHandle> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        CurlHandle handle = std::move(idle_.back());
        idle_.pop_back();
        return handle;
      }
    }
    CurlHandle handle(curl_easy_init());
    if (!handle) return Error(ErrorCode::kExhausted, "no memory for an HTTP request");
    return handle;
  }

  void give_back(CurlHandle handle) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdle) idle_.push_back(std::move(handle));
  }

  const ClientOptions options_;
  std::mutex mutex_;
  std::vector<CurlHandle> idle_;  // each with the connections it has kept; guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global != CURLE_OK) return Error(ErrorCode::kExhausted, "the HTTP library cannot start");
  return std::unique_ptr<Client>(std::make_unique<CurlClient>(std::move(options)));
}

}  // namespace pileus::http
