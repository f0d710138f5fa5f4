#include "os/tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include "os/fd.h"
#include "os/unix_socket.h"

namespace pileus::os {
namespace {

sockaddr_in loopback(u16 port, const std::string& text) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  CHECK(::inet_pton(AF_INET, text.c_str(), &address.sin_addr) == 1);
  return address;
}

}  // namespace

bool is_loopback(const std::string& address) {
  in_addr parsed = {};
  return ::inet_pton(AF_INET, address.c_str(), &parsed) == 1 && ntohl(parsed.s_addr) >> 24U == IN_LOOPBACKNET;
}

Result<Fd> listen_loopback(u16 port, const std::string& host) {
  CHECK(is_loopback(host));
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error::from_errno("socket");
  // As the forward itself does, so that connections of an earlier owner that linger do not count.
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port, host);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    const std::string name = "port " + std::to_string(port) + " of " + host;
    if (errno == EADDRINUSE) return Error(ErrorCode::kBusy, name + " is in use");
    if (errno == EACCES) return Error(ErrorCode::kPermission, name + " is reserved for root");
    return Error::from_errno("listen at " + name);
  }
  return socket;
}

Result<> check_port_free(u16 port, const std::string& address) {
  TRY(listen_loopback(port, address));
  return {};
}

Result<std::string> address_towards(const std::string& address) {
  sockaddr_in peer = {};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(1);  // nothing is sent
  if (::inet_pton(AF_INET, address.c_str(), &peer.sin_addr) != 1) {
    return Error(ErrorCode::kInvalid, "'" + address + "' is no IPv4 address");
  }
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in own = {};
  socklen_t size = sizeof own;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    return Error(ErrorCode::kNotFound, "no way leads to " + address);
  }
  std::array<char, INET_ADDRSTRLEN> text = {};
  ::inet_ntop(AF_INET, &own.sin_addr, text.data(), text.size());
  return std::string(text.data());
}

Result<u16> find_free_port() {
  const Fd socket = TRY(listen_loopback(0));
  sockaddr_in address = {};
  socklen_t length = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return Error::from_errno("getsockname");
  }
  return ntohs(address.sin_port);
}

Result<std::string> read_banner(u16 port, std::chrono::milliseconds timeout, const std::string& host) {
  CHECK(is_loopback(host));
  constexpr std::size_t kMaxBanner = 255;  // RFC 4253, 4.2
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error::from_errno("socket");
  const sockaddr_in address = loopback(port, host);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error::from_errno("connect");
  }
  LineBuffer lines(kMaxBanner);
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Error(ErrorCode::kTimeout, "no banner in time");
    const std::string some = TRY(receive_some(socket.get(), left));
    if (some.empty() || !lines.append(some)) return Error(ErrorCode::kIo, "no banner");
    if (std::optional<std::string> line = lines.next()) return *line;
  }
}

}  // namespace pileus::os
