// gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) as far as calls of etcd need it: each
// message behind five bytes, and a status at the end. No compression: we do not offer it.
//
//   call     = POST /SERVICE/METHOD, headers, *frame
//   answer   = status 200, headers, *frame, trailers "grpc-status" and "grpc-message"
//   frame    = 0x00 LENGTH MESSAGE          LENGTH: 4 bytes, big-endian
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/client.h"

namespace pileus::state::etcd {

// How a call failed: gRPC's code (https://grpc.io/docs/guides/status-codes) and the server's text.
struct Failure {
  static constexpr u64 kUnknown = 2;  // also for what is no answer of gRPC's
  u64 code = kUnknown;
  std::string message;
};

// A call with one message.
http::ClientRequest make_call(std::string url, std::string_view message);

// What a call came to whose answer has come as a whole: its one message, or how it failed.
using Outcome = std::variant<std::string, Failure>;
Outcome outcome_of(const http::Response& answer);

// Messages out of an answer's bytes, which come in pieces.
class Frames {
 public:
  explicit Frames(std::size_t max_message) : max_message_(max_message) {}

  void add(std::string_view piece);
  // The next message, until something is added; nothing while it has not come as a whole.
  std::optional<std::string_view> next();
  // What comes is no frame, or one that is too long: nothing more can be taken.
  bool bad() const { return bad_; }

 private:
  const std::size_t max_message_;
  std::string buffer_;
  std::size_t taken_ = 0;  // of the buffer
  bool bad_ = false;
};

}  // namespace pileus::state::etcd
