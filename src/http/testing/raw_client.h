// RawClient: a TCP connection to 127.0.0.1 for tests that need to send what no HTTP library would.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/fd.h"

namespace pileus::http::testing {

class RawClient {
 public:
  explicit RawClient(u16 port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  }

  bool try_send(std::string_view data) {
    while (!data.empty()) {
      const ssize_t sent = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      data.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // A peer that has closed already is fine.
  void send(std::string_view data) { static_cast<void>(try_send(data)); }
  // No more will be sent.
  void finish() { ::shutdown(socket_.get(), SHUT_WR); }

  // Up to the empty line after the headers, or what came before the end of the stream.
  std::string receive_head(std::chrono::milliseconds timeout) { return receive_until("\r\n\r\n", timeout); }
  // Up to the end of the stream.
  std::string receive_all(std::chrono::milliseconds timeout) { return receive_until("", timeout); }

 private:
  std::string receive_until(std::string_view mark, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::string all;
    while (mark.empty() || all.find(mark) == std::string::npos) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd wait{socket_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) return all + "(nothing in time)";
      char buffer[4096];
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }

  os::Fd socket_;
};

}  // namespace pileus::http::testing
