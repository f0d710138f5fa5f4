#include "http/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "http/internal/connections.h"
#include "http/internal/later.h"
#include "http/internal/listen.h"
#include "http/internal/peer_certificate.h"
#include "http/internal/reply.h"
#include "http/internal/worker_pool.h"

namespace pileus::http {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kTick{1000};    // between looks at who takes too long
constexpr std::chrono::milliseconds kStopPoll{10};

// One request on its way. Belongs to libmicrohttpd's thread, but while its connection is suspended: then to whoever will
// resume it.
struct Exchange {
  enum class Phase { kReceiving, kSuspended, kAnswered };
  Request request;
  std::size_t received = 0;
  bool counted = false;  // libmicrohttpd has told of its headers
  Phase phase = Phase::kReceiving;
  Response response;
};

class MicroServer final : public Server {
 public:
  MicroServer(ServerOptions options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        connections_(options_.request_timeout, options_.idle_timeout),
        workers_(options_.threads, options_.max_waiting) {}

  ~MicroServer() override { stop(std::chrono::milliseconds(0)); }

  Result<> start() {
    Listener listener;
    if (options_.listens) listener = TRY(listen_at(options_.address, options_.port));
    port_ = listener.port;
    std::vector<MHD_OptionItem> items = {
        {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(options_.max_connections), nullptr},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(options_.max_header), nullptr},
        {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<intptr_t>(options_.idle_timeout.count()), nullptr},
        {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&on_completed), this},
        {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&on_connection), this},
        {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&on_request_line), this},
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (options_.listens) items.push_back({MHD_OPTION_LISTEN_SOCKET, listener.socket.get(), nullptr});
    else flags |= MHD_USE_NO_LISTEN_SOCKET;
    if (!options_.tls.certificate.empty()) {
      flags |= MHD_USE_TLS;
      items.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, options_.tls.certificate.data()});
      items.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, options_.tls.key.data()});
      if (!options_.tls.client_ca.empty()) {
        items.push_back({MHD_OPTION_HTTPS_MEM_TRUST, 0, options_.tls.client_ca.data()});
      }
    }
    items.push_back({MHD_OPTION_END, 0, nullptr});
    // The logger has to come first: it serves the options after it.
    daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &on_access, this, MHD_OPTION_EXTERNAL_LOGGER, &on_log, this,
                               MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
    if (daemon_ == nullptr) {
      const bool tls = !options_.tls.certificate.empty();
      return Error(tls ? ErrorCode::kInvalid : ErrorCode::kExhausted,
                   tls ? "the HTTPS server cannot start; check its certificate, key and CA"
                       : "the HTTP server cannot start: no memory, threads or descriptors");
    }
    static_cast<void>(listener.socket.release());  // libmicrohttpd's, until stop()
    timer_ = std::thread([this] { tick(); });
    return {};
  }

  u16 port() const override { return port_; }

  Result<> adopt(os::Fd connection, const std::string& remote_address) override {
    sockaddr_in remote = {};
    remote.sin_family = AF_INET;
    if (::inet_pton(AF_INET, remote_address.c_str(), &remote.sin_addr) != 1) {
      return Error(ErrorCode::kInvalid, "'" + remote_address + "' is no IPv4 address");
    }
    // libmicrohttpd closes it, whether this succeeds or not.
    if (MHD_add_connection(daemon_, connection.release(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote) ==
        MHD_YES) {
      return {};
    }
    return Error(ErrorCode::kExhausted, "the HTTP server cannot take the connection");
  }

  void stop(std::chrono::milliseconds patience) override {
    if (daemon_ == nullptr) return;
    const auto deadline = Clock::now() + patience;
    const os::Fd listener(MHD_quiesce_daemon(daemon_));
    workers_.stop();
    answer_all_that_wait();
    // Whoever completed an answer just now may still be about to resume its connection.
    while (suspended_ > 0) std::this_thread::sleep_for(kStopPoll);
    while (connections_.busy() > 0 && Clock::now() < deadline) std::this_thread::sleep_for(kStopPoll);
    {
      const std::lock_guard lock(timer_mutex_);
      timer_stop_ = true;
      timer_wake_.notify_all();
    }
    timer_.join();
    MHD_stop_daemon(daemon_);
    daemon_ = nullptr;
  }

 private:
  static MicroServer& of(void* self) { return *static_cast<MicroServer*>(self); }

  static void on_log(void* /*self*/, const char* format, va_list arguments) __attribute__((format(printf, 2, 0))) {
    char line[512];
    std::vsnprintf(line, sizeof(line), format, arguments);
    std::string_view text(line);
    while (text.ends_with('\n')) text.remove_suffix(1);
    log::debug("http: {}", text);
  }

  static void on_connection(void* self, MHD_Connection* handle, void** context, MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      const auto* info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
      *context = of(self).connections_.open(info->connect_fd);
    } else {
      of(self).connections_.close(static_cast<Connection*>(*context));
    }
  }

  static Connection* connection_of(MHD_Connection* handle) {
    const auto* info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return static_cast<Connection*>(info->socket_context);
  }

  // The request's target as it was sent; what we return is the request's context from then on.
  static void* on_request_line(void* self, const char* target, MHD_Connection* handle) {
    of(self).connections_.enter(connection_of(handle), Connection::Phase::kReceiving);
    auto exchange = std::make_unique<std::shared_ptr<Exchange>>(std::make_shared<Exchange>());
    Request& request = (*exchange)->request;
    request.path = target;
    const auto mark = request.path.find('?');
    if (mark != std::string::npos) {
      request.query = request.path.substr(mark + 1);
      request.path.resize(mark);
    }
    return exchange.release();
  }

  static void on_completed(void* self, MHD_Connection* handle, void** context, MHD_RequestTerminationCode /*code*/) {
    const std::unique_ptr<std::shared_ptr<Exchange>> exchange(static_cast<std::shared_ptr<Exchange>*>(*context));
    *context = nullptr;
    of(self).connections_.enter(connection_of(handle), Connection::Phase::kIdle);
  }

  static MHD_Result on_access(void* self, MHD_Connection* handle, const char* /*url*/, const char* method,
                              const char* /*version*/, const char* data, std::size_t* size, void** context) {
    const auto& exchange = *static_cast<std::shared_ptr<Exchange>*>(*context);
    return of(self).access(handle, exchange, method, {data, *size}, *size);
  }

  // Called when the headers are there, for each piece of the body (`left` is to be set to 0), at its end, and when the
  // connection was resumed.
  MHD_Result access(MHD_Connection* handle, const std::shared_ptr<Exchange>& exchange, const char* method,
                    std::string_view data, std::size_t& left) {
    if (!std::exchange(exchange->counted, true)) {
      exchange->request.method = method;
      return begin(handle, *exchange);
    }
    if (!data.empty()) {
      left = 0;
      exchange->received += data.size();
      if (exchange->received <= options_.max_body) exchange->request.body += data;
      else exchange->request.body.clear();
      return MHD_YES;
    }
    if (exchange->phase == Exchange::Phase::kReceiving) return dispatch(handle, exchange);
    return reply(handle, std::move(exchange->response));
  }

  MHD_Result begin(MHD_Connection* handle, Exchange& exchange) {
    MHD_get_connection_values(handle, MHD_HEADER_KIND, &add_header, &exchange.request.headers);
    const std::string_view length = exchange.request.headers.get("Content-Length");
    u64 bytes = 0;
    std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (bytes > options_.max_body) return reply(handle, too_large());
    return MHD_YES;
  }

  static MHD_Result add_header(void* headers, MHD_ValueKind /*kind*/, const char* name, const char* value) {
    static_cast<Headers*>(headers)->add(name, value == nullptr ? "" : value);
    return MHD_YES;
  }

  Response too_large() const {
    return text_response(413, "the body may have at most " + std::to_string(options_.max_body) + " bytes");
  }

  MHD_Result dispatch(MHD_Connection* handle, const std::shared_ptr<Exchange>& exchange) {
    if (exchange->received > options_.max_body) return reply(handle, too_large());
    Connection* connection = connection_of(handle);
    connections_.enter(connection, Connection::Phase::kAnswering);
    Request& request = exchange->request;
    const auto* address = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    request.remote_address = numeric_address(address->client_addr);
    if (!options_.tls.client_ca.empty() && !options_.tls.certificate.empty()) {
      if (connection->peer.state == PeerCertificate::State::kUnknown) {
        const auto* session = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        connection->peer = examine_peer(static_cast<gnutls_session_t>(session->tls_session));
      }
      if (connection->peer.state == PeerCertificate::State::kBad) {
        return reply(handle, text_response(403, "the client's certificate is not one that this server trusts"));
      }
      request.peer_subject = connection->peer.subject;
      request.peer_name = connection->peer.name;
    }
    // Before a worker can resume it.
    exchange->phase = Exchange::Phase::kSuspended;
    ++suspended_;
    MHD_suspend_connection(handle);
    if (!workers_.submit([this, handle, exchange] { handle_request(handle, exchange); })) {
      Response busy = text_response(503, "too many requests wait; try again later");
      busy.headers.add("Retry-After", "1");
      resume(handle, exchange, std::move(busy));
    }
    return MHD_YES;
  }

  // A thread of the pool.
  void handle_request(MHD_Connection* handle, const std::shared_ptr<Exchange>& exchange) {
    Response response = handler_(exchange->request);
    if (!response.later) return resume(handle, exchange, std::move(response));
    const auto later = std::static_pointer_cast<WaitingAnswer>(response.later);
    later->attach([this, handle, exchange](Response answer) { resume(handle, exchange, std::move(answer)); });
    waiting_.add(later);
    const std::lock_guard lock(timer_mutex_);
    if (later->deadline() >= timer_next_) return;
    timer_next_ = Clock::time_point::min();
    timer_wake_.notify_all();
  }

  // The connection must not be touched after this.
  void resume(MHD_Connection* handle, const std::shared_ptr<Exchange>& exchange, Response response) {
    exchange->response = std::move(response);
    exchange->phase = Exchange::Phase::kAnswered;
    MHD_resume_connection(handle);
    --suspended_;  // the last that is done here: stop() may be waiting to end everything
  }

  MHD_Result reply(MHD_Connection* handle, Response response) {
    connections_.enter(connection_of(handle), Connection::Phase::kAnswering);
    if (response.stream) streams_.add(response.stream);
    return queue_reply(handle, std::move(response));
  }

  void answer_all_that_wait() {
    for (const auto& later : waiting_.take_all()) later->complete(text_response(503, "the server is being stopped"));
    streams_.close_all();
  }

  // The timer's thread.
  void tick() {
    std::unique_lock lock(timer_mutex_);
    while (!timer_stop_) {
      timer_next_ = Clock::time_point::max();  // so that whoever adds something from here on says so
      lock.unlock();
      const auto now = Clock::now();
      const auto next = std::min(waiting_.expire(now), now + kTick);
      connections_.cut_overdue(now);
      lock.lock();
      timer_next_ = std::min(timer_next_, next);
      timer_wake_.wait_until(lock, timer_next_, [&] { return timer_stop_ || timer_next_ < next; });
    }
  }

  ServerOptions options_;
  const Handler handler_;
  Connections connections_;
  WaitingAnswers waiting_;
  StreamList streams_;
  WorkerPool workers_;
  MHD_Daemon* daemon_ = nullptr;
  u16 port_ = 0;
  std::atomic<unsigned> suspended_ = 0;  // connections whose answer is being made

  std::mutex timer_mutex_;
  std::condition_variable timer_wake_;
  bool timer_stop_ = false;  // guarded by timer_mutex_
  Clock::time_point timer_next_;  // when the timer looks again, min() for at once; guarded by timer_mutex_
  std::thread timer_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  auto server = std::make_unique<MicroServer>(std::move(options), std::move(handler));
  TRY(server->start());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace pileus::http
