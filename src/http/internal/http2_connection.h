// Http2Connection: one connection to a server, and the requests that are under way on it. Any thread.
//
// Invariants:
//   1. Everything but the thread's poll happens under the mutex. What nghttp2 has to send is sent by whoever gave it
//      something to send; the thread sends what the socket would not take then.
//   2. An exchange is in exchanges_ from when it was begun until it has ended: the server's end, a cancelled one, or a
//      broken connection. `ended` is set once, and then nothing of it changes any more.
#pragma once

#include <nghttp2/nghttp2.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "http/internal/client_socket.h"

namespace pileus::http {

// A request and what has come of its answer.
struct Http2Exchange {
  // Of a streamed answer, no more than a window's worth waits to be taken; a whole one has at most max_body.
  bool streamed = false;
  std::size_t max_body = 0;
  static constexpr std::size_t kMaxHeaders = 32 * kKiB;  // names and values, before the body and after it
  std::string request;   // its body
  std::size_t sent = 0;  // of it

  int status = 0;  // 0 until the headers have come
  Headers headers;
  std::size_t headers_size = 0;
  std::string body;
  bool ended = false;
  Result<> outcome;  // when it has ended
  std::condition_variable changed;
};

class Http2Connection {
 public:
  using Time = ClientSocket::Time;

  static Result<std::shared_ptr<Http2Connection>> open(const ClientOptions& options, const Target& target,
                                                       Time deadline);
  // Ends what is under way.
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Whether it takes requests.
  bool is_usable();
  // It is to take no more.
  void retire();

  // kNotFound: nothing was sent.
  Result<> begin(const std::shared_ptr<Http2Exchange>& exchange, const ClientRequest& request, const Target& target);
  // Until `what` holds, which is asked under the mutex, or the deadline. Whether it holds.
  bool wait(Http2Exchange& exchange, Time deadline, const std::function<bool()>& what);
  // What has come of the answer since; makes room for more.
  std::string take(Http2Exchange& exchange);
  // Ends it, unless it has ended.
  void cancel(Http2Exchange& exchange, const Error& why);

 private:
  struct FreeSession {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  explicit Http2Connection(ClientSocket socket) : socket_(std::move(socket)) {}
  Result<> start();
  void run();
  void receive();
  void flush();
  void flush_and_wake();
  void fail(const std::string& why);
  void wake();
  void end(i32 id, Result<> outcome);
  void break_off(i32 id, const Error& why);

  static Http2Exchange* exchange_of(nghttp2_session* session, i32 id);
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const u8* name, std::size_t name_size,
                       const u8* value, std::size_t value_size, u8 flags, void* self);
  static int on_data(nghttp2_session* session, u8 flags, i32 id, const u8* data, std::size_t size, void* self);
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int on_close(nghttp2_session* session, i32 id, u32 error, void* self);
  static ssize_t give_request(nghttp2_session* session, i32 id, u8* buffer, std::size_t size, u32* flags,
                              nghttp2_data_source* source, void* self);

  std::mutex mutex_;  // of all below
  ClientSocket socket_;
  os::Fd wake_;  // eventfd: the thread is to look
  std::unique_ptr<nghttp2_session, FreeSession> session_;
  std::map<i32, std::shared_ptr<Http2Exchange>> exchanges_;
  std::string unsent_;
  bool usable_ = true;
  bool broken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pileus::http
