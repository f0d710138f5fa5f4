// Http2Server: an HTTP/2 server on a port of 127.0.0.1 for tests of the client, one connection after the other. A request's
// path says what becomes of it:
//   /echo    its body, with a trailer "seen"
//   /long    as many bytes as the body says
//   /silent  nothing, ever
//   /break   the request is broken off
//   /refuse  the request is refused unread
//   /leave   the server goes away, and has not looked at the request
//   /close   the connection is closed
//   /headers an answer with 40 KiB of headers
//   /deaf    nothing more is read from the connection, though its windows are wide
#pragma once

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "os/tcp.h"

namespace pileus::http::testing {

class Http2Server {
 public:
  Http2Server() : port_(os::find_free_port().value()), listener_(os::listen_loopback(port_).value()) {
    thread_ = std::thread([this] { run(); });
  }
  ~Http2Server() {
    stop_ = true;
    thread_.join();
  }
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int connections() const { return connections_; }

 private:
  struct Request {
    std::string path;
    std::string body;
    std::string answer;
    std::size_t sent = 0;
  };

  static bool is_ready(int fd) {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, 10) > 0;
  }

  void run() {
    while (!stop_) {
      if (!is_ready(listener_.get())) continue;
      const os::Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections_;
      requests_.clear();
      closing_ = false;
      deaf_ = false;
      serve(connection.get());
    }
  }

  void serve(int fd) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session* session = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
    std::array<u8, 16384> buffer;
    while (!stop_ && !closing_) {
      const u8* data = nullptr;
      for (ssize_t size = 0; (size = nghttp2_session_mem_send(session, &data)) > 0;) {
        ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
      if (deaf_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      if (deaf_ || !is_ready(fd)) continue;
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0 || nghttp2_session_mem_recv(session, buffer.data(), static_cast<std::size_t>(got)) < 0) break;
    }
    nghttp2_session_del(session);
  }

  static int on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame, const u8* name, std::size_t name_size,
                       const u8* value, std::size_t value_size, u8 /*flags*/, void* self) {
    const std::string is(reinterpret_cast<const char*>(name), name_size);
    if (is == ":path") {
      static_cast<Http2Server*>(self)->requests_[frame->hd.stream_id].path.assign(reinterpret_cast<const char*>(value),
                                                                                  value_size);
    }
    return 0;
  }

  static int on_data(nghttp2_session* /*session*/, u8 /*flags*/, i32 id, const u8* data, std::size_t size, void* self) {
    static_cast<Http2Server*>(self)->requests_[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    auto& server = *static_cast<Http2Server*>(self);
    if (frame->hd.type == NGHTTP2_HEADERS && server.requests_[frame->hd.stream_id].path == "/deaf") {
      constexpr i32 kWide = 64 * kMiB;
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kWide);
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, kWide);
      server.deaf_ = true;
    }
    const bool whole = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (whole && (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS)) {
      server.answer(session, frame->hd.stream_id);
    }
    return 0;
  }

  void answer(nghttp2_session* session, i32 id) {
    Request& request = requests_[id];
    if (request.path == "/silent") return;
    if (request.path == "/close") closing_ = true;
    if (request.path == "/break" || request.path == "/refuse") {
      const u32 why = request.path == "/break" ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_REFUSED_STREAM;
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, why);
      return;
    }
    if (request.path == "/leave") {
      nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, id - 2, NGHTTP2_NO_ERROR, nullptr, 0);
      return;
    }
    request.answer = request.path == "/long" ? std::string(std::stoul(request.body), 'x') : request.body;
    static u8 name[] = ":status";
    static u8 value[] = "200";
    std::vector<nghttp2_nv> headers = {{name, value, 7, 3, NGHTTP2_NV_FLAG_NONE}};
    std::array<u8, 1024> padding;
    padding.fill('x');
    const nghttp2_nv long_one = {padding.data(), padding.data(), 1, padding.size(), NGHTTP2_NV_FLAG_NONE};
    if (request.path == "/headers") headers.resize(41, long_one);
    nghttp2_data_provider body = {};
    body.source.ptr = &request;
    body.read_callback = &give_answer;
    nghttp2_submit_response(session, id, headers.data(), headers.size(), &body);
  }

  static ssize_t give_answer(nghttp2_session* session, i32 id, u8* buffer, std::size_t size, u32* flags,
                             nghttp2_data_source* source, void* /*self*/) {
    Request& request = *static_cast<Request*>(source->ptr);
    const std::size_t bytes = request.answer.copy(reinterpret_cast<char*>(buffer), size, request.sent);
    request.sent += bytes;
    if (request.sent == request.answer.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      static u8 name[] = "seen";
      static u8 value[] = "yes";
      const nghttp2_nv trailer{name, value, 4, 3, NGHTTP2_NV_FLAG_NONE};
      nghttp2_submit_trailer(session, id, &trailer, 1);
    }
    return static_cast<ssize_t>(bytes);
  }

  const u16 port_;
  const os::Fd listener_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connections_ = 0;
  bool closing_ = false;  // the thread's
  bool deaf_ = false;  // the thread's
  std::map<i32, Request> requests_;  // the thread's
  std::thread thread_;
};

}  // namespace pileus::http::testing
