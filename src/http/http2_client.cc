#include "http/http2_client.h"

#include <map>
#include <mutex>

#include "http/internal/http2_connection.h"

namespace pileus::http {
namespace {

using Clock = std::chrono::steady_clock;
using Connection = std::shared_ptr<Http2Connection>;

// The connection to one server. Whoever finds none makes it; the others wait for what comes of that.
class Line {
 public:
  Result<Connection> get(const ClientOptions& options, const Target& target, Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    while (true) {
      if (connection_ && connection_->is_usable()) return connection_;
      if (!connecting_) break;
      const u64 attempt = attempts_;
      if (!made_.wait_until(lock, deadline, [&] { return attempts_ != attempt; })) {
        return Error(ErrorCode::kNotFound, target.origin() + ": no connection in time");
      }
      // What was made may have ended already when this thread comes to look, and the next be under way.
      TRY(outcome_);
    }
    connecting_ = true;
    // What is left of the one before ends with its last user.
    const Connection before = std::exchange(connection_, nullptr);
    lock.unlock();
    Result<Connection> made = Http2Connection::open(options, target, deadline);
    lock.lock();
    connecting_ = false;
    ++attempts_;
    outcome_ = made ? Result<>() : Result<>(made.error());
    if (made) connection_ = *made;
    made_.notify_all();
    lock.unlock();
    return made;
  }

 private:
  std::mutex mutex_;  // of all below
  std::condition_variable made_;
  bool connecting_ = false;
  u64 attempts_ = 0;
  Result<> outcome_;  // of the last one
  Connection connection_;
};

class Http2Stream final : public ClientStream {
 public:
  Http2Stream(Connection connection, std::shared_ptr<Http2Exchange> exchange, std::string url,
              Clock::time_point header_deadline)
      : connection_(std::move(connection)),
        exchange_(std::move(exchange)),
        url_(std::move(url)),
        header_deadline_(header_deadline) {}
  ~Http2Stream() override { connection_->cancel(*exchange_, Error(ErrorCode::kBusy, "nobody reads it")); }

  Result<std::optional<std::string>> read(std::chrono::milliseconds timeout) override {
    const auto deadline = Clock::now() + timeout;
    Http2Exchange& exchange = *exchange_;
    const bool in_time = connection_->wait(exchange, std::min(deadline, header_deadline_),
                                           [&] { return exchange.ended || exchange.status != 0; });
    if (!in_time && Clock::now() >= header_deadline_) {
      connection_->retire();
      return Error(ErrorCode::kTimeout, url_ + ": no answer in time");
    }
    bool ended = false;
    connection_->wait(exchange, deadline, [&] {
      status_ = exchange.status;
      ended = exchange.ended;
      return ended || !exchange.body.empty();
    });
    std::string taken = connection_->take(exchange);
    if (!taken.empty() || !ended) return std::optional(std::move(taken));
    TRY(Result<>(exchange.outcome).with(url_));
    return std::optional<std::string>();
  }

  int status() const override { return status_; }
  std::optional<u64> length() const override { return std::nullopt; }

  void cancel() override { connection_->cancel(*exchange_, Error(ErrorCode::kBusy, "the request was cancelled")); }

 private:
  const Connection connection_;
  const std::shared_ptr<Http2Exchange> exchange_;
  const std::string url_;
  const Clock::time_point header_deadline_;
  int status_ = 0;  // as of the last read()
};

class Http2Client final : public Client {
 public:
  explicit Http2Client(ClientOptions options) : options_(std::move(options)) {}

  Result<Response> send(const ClientRequest& request) override {
    const auto deadline = Clock::now() + request.timeout;
    auto exchange = std::make_shared<Http2Exchange>();
    exchange->max_body = options_.max_body;
    const Connection connection = TRY(begin(exchange, request, deadline));
    Http2Exchange& asked = *exchange;
    if (!connection->wait(asked, deadline, [&] { return asked.ended; })) {
      connection->retire();
      connection->cancel(asked, Error(ErrorCode::kTimeout, "no answer in time"));
    }
    TRY(std::move(asked.outcome).with(request.url));
    Response response;
    response.status = asked.status;
    response.headers = std::move(asked.headers);
    response.body = std::move(asked.body);
    return response;
  }

  Result<std::unique_ptr<ClientStream>> open(const ClientRequest& request) override {
    const auto deadline = Clock::now() + request.timeout;
    auto exchange = std::make_shared<Http2Exchange>();
    exchange->streamed = true;
    Connection connection = TRY(begin(exchange, request, deadline));
    return std::unique_ptr<ClientStream>(
        std::make_unique<Http2Stream>(std::move(connection), std::move(exchange), request.url, deadline));
  }

 private:
  Result<Connection> begin(const std::shared_ptr<Http2Exchange>& exchange, const ClientRequest& request,
                           Clock::time_point deadline) {
    const Target target = TRY(parse_target(request.url));
    const auto connected_by = std::min(deadline, Clock::now() + options_.connect_timeout);
    // A connection may end between being found and being used; then another one is made, once.
    constexpr int kTries = 2;
    for (int i = 1;; ++i) {
      Connection connection = TRY(line_to(target).get(options_, target, connected_by));
      Result<> begun = connection->begin(exchange, request, target);
      if (begun.ok()) return connection;
      if (i == kTries) return std::move(begun).error();
    }
  }

  Line& line_to(const Target& target) {
    const std::lock_guard lock(mutex_);
    return lines_[{target.tls, target.authority}];
  }

  const ClientOptions options_;
  std::mutex mutex_;
  std::map<std::pair<bool, std::string>, Line> lines_;  // guarded by mutex_; lines themselves are not
};

}  // namespace

Result<std::unique_ptr<Client>> make_http2_client(ClientOptions options) {
  return std::unique_ptr<Client>(std::make_unique<Http2Client>(std::move(options)));
}

}  // namespace pileus::http
