#include "http/internal/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace pileus::http {
namespace {

constexpr int kBacklog = 1024;

// Of an IPv4 or IPv6 address; its length, or 0 when it is neither.
socklen_t parse_address(const std::string& address, u16 port, sockaddr_storage& storage) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&storage, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    std::memcpy(&storage, &v6, sizeof(v6));
    return sizeof(v6);
  }
  return 0;
}

}  // namespace

Result<Listener> listen_at(const std::string& address, u16 port) {
  sockaddr_storage storage{};
  const socklen_t length = parse_address(address, port, storage);
  if (length == 0) {
    return Error(ErrorCode::kInvalid, "\"" + address + "\" is no IP address; give one as 127.0.0.1 or ::1");
  }
  const std::string what = "listen at " + address + " port " + std::to_string(port);
  Listener listener;
  listener.socket = os::Fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.socket.valid()) return Error::from_errno(what);
  const int fd = listener.socket.get();
  const int on = 1;
  // A restart must not wait for connections of the run before; "::" shall take IPv4 as well.
  const int off = 0;
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) return Error::from_errno(what);
  if (storage.ss_family == AF_INET6 && ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) {
    return Error::from_errno(what);
  }
  auto* generic = reinterpret_cast<sockaddr*>(&storage);
  if (::bind(fd, generic, length) != 0 || ::listen(fd, kBacklog) != 0) return Error::from_errno(what);
  socklen_t size = sizeof(storage);
  if (::getsockname(fd, generic, &size) != 0) return Error::from_errno(what);
  // The port is at the same place in both.
  sockaddr_in bound{};
  std::memcpy(&bound, &storage, sizeof(bound));
  listener.port = ntohs(bound.sin_port);
  return listener;
}

std::string numeric_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof(v6));
    // An IPv4 client of a socket for both.
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    else ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  }
  return text;
}

}  // namespace pileus::http
