#include "state/etcd/grpc.h"

#include <charconv>

namespace pileus::state::etcd {
namespace {

constexpr std::size_t kHeader = 5;

std::string frame(std::string_view message) {
  std::string framed(1, '\0');
  for (unsigned shift = 32; shift > 0; shift -= 8) framed += static_cast<char>(message.size() >> (shift - 8));
  return framed.append(message);
}

u64 length_of(std::string_view header) {
  u64 length = 0;
  for (std::size_t i = 1; i < kHeader; ++i) length = length << 8 | static_cast<u8>(header[i]);
  return length;
}

// "grpc-message" has some bytes as %XX.
std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    u8 byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && text.size() - i > 2 && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace

http::ClientRequest make_call(std::string url, std::string_view message) {
  http::ClientRequest call;
  call.method = "POST";
  call.url = std::move(url);
  call.headers.add("Content-Type", "application/grpc");
  call.headers.add("TE", "trailers");
  call.body = frame(message);
  return call;
}

Outcome outcome_of(const http::Response& answer) {
  Failure failure;
  const std::string_view status = answer.headers.get("grpc-status");
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), failure.code);
  if (answer.status != 200 || error != std::errc() || end != status.data() + status.size()) {
    return Failure{Failure::kUnknown, "HTTP status " + std::to_string(answer.status) + " without one of gRPC's"};
  }
  if (failure.code != 0) {
    failure.message = percent_decode(answer.headers.get("grpc-message"));
    return failure;
  }
  Frames frames(answer.body.size());
  frames.add(answer.body);
  const auto message = frames.next();
  if (!message) return Failure{Failure::kUnknown, "a success without a message"};
  return std::string(*message);
}

void Frames::add(std::string_view piece) {
  buffer_.erase(0, std::exchange(taken_, 0));
  buffer_ += piece;
}

std::optional<std::string_view> Frames::next() {
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  if (bad_ || rest.size() < kHeader) return {};
  const u64 length = length_of(rest);
  bad_ = rest.front() != 0 || length > max_message_;
  if (bad_ || rest.size() - kHeader < length) return {};
  taken_ += kHeader + length;
  return rest.substr(kHeader, length);
}

}  // namespace pileus::state::etcd
