#include "http/internal/http2_connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

namespace pileus::http {
namespace {

constexpr u32 kStreamWindow = 1 * kMiB;       // what may wait of a streamed answer
constexpr i32 kConnectionWindow = 64 * kMiB;  // of all of them together
constexpr std::size_t kPiece = 64 * kKiB;     // read or sent at once

std::string_view view(const u8* bytes, std::size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

nghttp2_nv field(const std::string& name, std::string_view value) {
  // nghttp2 copies both; it only has no word for const.
  const auto bytes = [](std::string_view text) { return reinterpret_cast<u8*>(const_cast<char*>(text.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string lower(std::string text) {
  for (char& each : text) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
  }
  return text;
}

struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

}  // namespace

Result<std::shared_ptr<Http2Connection>> Http2Connection::open(const ClientOptions& options, const Target& target,
                                                               Time deadline) {
  ClientSocket socket = TRY(ClientSocket::connect(options, target, deadline));
  std::shared_ptr<Http2Connection> connection(new Http2Connection(std::move(socket)));
  TRY(connection->start());
  return connection;
}

Result<> Http2Connection::start() {
  wake_ = os::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  nghttp2_session_callbacks* made_callbacks = nullptr;
  nghttp2_option* made_option = nullptr;
  nghttp2_session* made_session = nullptr;
  const Error no_memory(ErrorCode::kExhausted, "no memory or descriptors for an HTTP connection");
  if (!wake_.valid() || nghttp2_session_callbacks_new(&made_callbacks) != 0) return no_memory;
  const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> callbacks(made_callbacks);
  if (nghttp2_option_new(&made_option) != 0) return no_memory;
  const std::unique_ptr<nghttp2_option, FreeOption> option(made_option);
  nghttp2_session_callbacks_set_on_header_callback(callbacks.get(), &on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks.get(), &on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks.get(), &on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks.get(), &on_close);
  nghttp2_option_set_no_auto_window_update(option.get(), 1);
  if (nghttp2_session_client_new2(&made_session, callbacks.get(), this, option.get()) != 0) return no_memory;
  session_.reset(made_session);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}}};
  if (nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
      nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, kConnectionWindow) != 0) {
    return no_memory;
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

Http2Connection::~Http2Connection() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    fail("the client is being closed");
  }
  if (thread_.joinable()) thread_.join();
}

// The thread looks again.
void Http2Connection::wake() {
  constexpr u64 kOne = 1;
  static_cast<void>(::write(wake_.get(), &kOne, sizeof(kOne)));
}

bool Http2Connection::is_usable() {
  const std::lock_guard lock(mutex_);
  return usable_ && !broken_;
}

void Http2Connection::retire() {
  const std::lock_guard lock(mutex_);
  usable_ = false;
}

Result<> Http2Connection::begin(const std::shared_ptr<Http2Exchange>& exchange, const ClientRequest& request,
                                const Target& target) {
  std::vector<std::pair<std::string, std::string>> headers = {{":method", request.method},
                                                              {":scheme", target.tls ? "https" : "http"},
                                                              {":authority", target.authority},
                                                              {":path", target.path}};
  for (const auto& [name, value] : request.headers) headers.emplace_back(lower(name), value);
  std::vector<nghttp2_nv> fields;
  for (const auto& [name, value] : headers) fields.push_back(field(name, value));
  exchange->request = request.body;
  nghttp2_data_provider body = {};
  body.read_callback = &give_request;

  const std::lock_guard lock(mutex_);
  if (broken_) return Error(ErrorCode::kNotFound, target.origin() + ": the connection has just ended");
  const i32 id = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                        request.body.empty() ? nullptr : &body, exchange.get());
  if (id < 0) {
    usable_ = false;  // e.g. no number is left for a request
    return Error(ErrorCode::kNotFound, target.origin() + ": " + nghttp2_strerror(id));
  }
  exchanges_.emplace(id, exchange);
  flush_and_wake();
  return {};
}

bool Http2Connection::wait(Http2Exchange& exchange, Time deadline, const std::function<bool()>& what) {
  std::unique_lock lock(mutex_);
  return exchange.changed.wait_until(lock, deadline, what);
}

std::string Http2Connection::take(Http2Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  if (exchange.streamed && !exchange.ended && !exchange.body.empty()) {
    for (const auto& [id, each] : exchanges_) {
      if (each.get() == &exchange) nghttp2_session_consume_stream(session_.get(), id, exchange.body.size());
    }
    flush_and_wake();
  }
  return std::exchange(exchange.body, {});
}

void Http2Connection::cancel(Http2Exchange& exchange, const Error& why) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, each] : exchanges_) {
    if (each.get() != &exchange) continue;
    break_off(id, why);
    flush_and_wake();
    return;
  }
}

void Http2Connection::run() {
  while (true) {
    std::array<pollfd, 2> ready = {{{socket_.fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || broken_) return;
      if (!unsent_.empty()) ready[0].events |= POLLOUT;
    }
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    u64 unused = 0;
    if (ready[1].revents != 0) static_cast<void>(::read(wake_.get(), &unused, sizeof(unused)));
    const std::lock_guard lock(mutex_);
    if (stopping_ || broken_) return;
    if ((ready[0].revents & ~POLLOUT) != 0) receive();
    flush();
  }
}

void Http2Connection::receive() {
  std::array<char, kPiece> buffer;
  while (!broken_) {
    const Result<std::size_t> got = socket_.read(buffer.data(), buffer.size());
    if (!got) return fail(got.error().message());
    if (*got == 0) return;
    const ssize_t taken = nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const u8*>(buffer.data()), *got);
    if (taken < 0) return fail(nghttp2_strerror(static_cast<int>(taken)));
  }
}

void Http2Connection::flush() {
  while (!broken_) {
    while (unsent_.size() < kPiece) {
      const u8* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_.get(), &data);
      if (size < 0) return fail(nghttp2_strerror(static_cast<int>(size)));
      if (size == 0) break;
      unsent_ += view(data, static_cast<std::size_t>(size));
    }
    if (unsent_.empty()) break;
    const Result<std::size_t> sent = socket_.write(unsent_);
    if (!sent) return fail(sent.error().message());
    if (*sent == 0) return;  // the thread goes on when the socket takes more
    unsent_.erase(0, *sent);
  }
  const bool over = nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0;
  if (!broken_ && over) fail("the server has ended the connection");
}

// For all but the thread, which may wait without knowing that there is something to send now.
void Http2Connection::flush_and_wake() {
  flush();
  if (!unsent_.empty()) wake();
}

void Http2Connection::fail(const std::string& why) {
  broken_ = true;
  wake();
  while (!exchanges_.empty()) end(exchanges_.begin()->first, Error(ErrorCode::kIo, "the connection broke: " + why));
}

void Http2Connection::end(i32 id, Result<> outcome) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end()) return;
  Http2Exchange& exchange = *found->second;
  exchange.outcome = std::move(outcome);
  exchange.ended = true;
  exchange.changed.notify_all();
  exchanges_.erase(found);
}

void Http2Connection::break_off(i32 id, const Error& why) {
  nghttp2_session_set_stream_user_data(session_.get(), id, nullptr);
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  end(id, why);
}

Http2Exchange* Http2Connection::exchange_of(nghttp2_session* session, i32 id) {
  return static_cast<Http2Exchange*>(nghttp2_session_get_stream_user_data(session, id));
}

int Http2Connection::on_header(nghttp2_session* session, const nghttp2_frame* frame, const u8* name,
                               std::size_t name_size, const u8* value, std::size_t value_size, u8 /*flags*/,
                               void* self) {
  Http2Exchange* exchange = exchange_of(session, frame->hd.stream_id);
  if (exchange == nullptr) return 0;
  exchange->headers_size += name_size + value_size;
  if (exchange->headers_size > Http2Exchange::kMaxHeaders) {
    const Error why(ErrorCode::kExhausted,
                    "the answer has headers of more than " + std::to_string(Http2Exchange::kMaxHeaders) + " bytes");
    static_cast<Http2Connection*>(self)->break_off(frame->hd.stream_id, why);
    return 0;
  }
  exchange->headers.add(std::string(view(name, name_size)), std::string(view(value, value_size)));
  return 0;
}

int Http2Connection::on_data(nghttp2_session* session, u8 /*flags*/, i32 id, const u8* data, std::size_t size,
                             void* self) {
  Http2Exchange* exchange = exchange_of(session, id);
  nghttp2_session_consume_connection(session, size);
  if (exchange == nullptr) return 0;
  if (!exchange->streamed) {
    nghttp2_session_consume_stream(session, id, size);
    if (exchange->body.size() + size > exchange->max_body) {
      const Error why(ErrorCode::kExhausted,
                      "the answer is longer than " + std::to_string(exchange->max_body) + " bytes");
      static_cast<Http2Connection*>(self)->break_off(id, why);
      return 0;
    }
  }
  exchange->body += view(data, size);
  if (exchange->streamed) exchange->changed.notify_all();
  return 0;
}

// Headers as a whole: their status, unless they are the trailers.
int Http2Connection::on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
  if (frame->hd.type == NGHTTP2_GOAWAY) static_cast<Http2Connection*>(self)->usable_ = false;
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  Http2Exchange* exchange = exchange_of(session, frame->hd.stream_id);
  if (exchange == nullptr || exchange->status != 0) return 0;
  const std::string_view status = exchange->headers.get(":status");
  if (status.size() != 3 || status.starts_with('1')) {
    exchange->headers = {};  // "100 Continue": the answer's own are yet to come
    return 0;
  }
  for (const char digit : status) exchange->status = exchange->status * 10 + (digit - '0');
  exchange->changed.notify_all();
  return 0;
}

int Http2Connection::on_close(nghttp2_session* /*session*/, i32 id, u32 error, void* self) {
  Result<> outcome;
  // Refused streams were not looked at: those the server says so of, or whose number is beyond its GOAWAY (RFC 9113, 8.7).
  if (error == NGHTTP2_REFUSED_STREAM) {
    outcome = Error(ErrorCode::kNotFound, "the server has refused the request unread");
  } else if (error != NGHTTP2_NO_ERROR) {
    outcome = Error(ErrorCode::kIo, std::string("the server has broken off: ") + nghttp2_http2_strerror(error));
  }
  static_cast<Http2Connection*>(self)->end(id, std::move(outcome));
  return 0;
}

ssize_t Http2Connection::give_request(nghttp2_session* session, i32 id, u8* buffer, std::size_t size, u32* flags,
                                      nghttp2_data_source* /*source*/, void* /*self*/) {
  Http2Exchange* exchange = exchange_of(session, id);
  if (exchange == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t bytes = exchange->request.copy(reinterpret_cast<char*>(buffer), size, exchange->sent);
  exchange->sent += bytes;
  if (exchange->sent == exchange->request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

}  // namespace pileus::http
