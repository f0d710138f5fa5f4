#include "vswitch/tunnel.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>

namespace pileus::vswitch {
namespace {

constexpr int kFramesAtOnce = 64;
constexpr std::size_t kHeader = 8;
constexpr u32 kHasNetwork = 0x0800'0000;  // flag I: the network's identifier is valid
constexpr int kBuffer = 4 * kMiB;

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(endpoint.address);
  address.sin_port = htons(endpoint.port);
  return address;
}

}  // namespace

Result<std::unique_ptr<Tunnel>> Tunnel::create(os::EventLoop& loop, const Endpoint& here, Receiver receiver) {
  std::unique_ptr<Tunnel> self(new Tunnel(loop, here, std::move(receiver)));
  self->socket_ = os::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!self->socket_.valid()) return Error::from_errno("socket");
  // As large as the host lets us.
  ::setsockopt(self->socket_.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer);
  ::setsockopt(self->socket_.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
  const sockaddr_in address = address_of(here);
  if (::bind(self->socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EADDRINUSE) {
      return Error(ErrorCode::kBusy, "the tunnel's port " + std::to_string(here.port) + " of " +
                                         packet::ipv4_text(here.address) + " is in use by another program");
    }
    return Error::from_errno("bind the tunnel to " + packet::ipv4_text(here.address));
  }
  TRY(loop.add(self->socket_.get(), EPOLLIN, [tunnel = self.get()](u32) { tunnel->receive(); }));
  return self;
}

Tunnel::~Tunnel() {
  if (socket_.valid()) loop_.remove(socket_.get());
}

void Tunnel::receive() {
  for (int i = 0; i < kFramesAtOnce; ++i) {
    sockaddr_in from = {};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(socket_.get(), incoming_.data(), incoming_.size(), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const std::span<u8> datagram = std::span(incoming_).first(static_cast<std::size_t>(got));
    if (datagram.size() <= kHeader || (packet::load32(datagram, 0) & kHasNetwork) == 0) continue;
    const Endpoint host{.address = ntohl(from.sin_addr.s_addr), .port = ntohs(from.sin_port)};
    receiver_(host, packet::load32(datagram, 4) >> 8U, datagram.subspan(kHeader));
  }
}

void Tunnel::send(const Endpoint& host, u32 network, std::span<const u8> frame) {
  std::array<u8, kHeader> header = {};
  packet::store32(header, 0, kHasNetwork);
  packet::store32(header, 4, network << 8U);
  sockaddr_in to = address_of(host);
  std::array<iovec, 2> parts = {iovec{header.data(), header.size()},
                                iovec{const_cast<u8*>(frame.data()), frame.size()}};
  msghdr message = {};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  static_cast<void>(::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));  // a network may lose frames
}

}  // namespace pileus::vswitch
