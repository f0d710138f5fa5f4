#include "packet/frame_socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pileus::packet {

bool send_frame(int socket, const Offload& offload, std::span<const u8> frame) {
  std::array<u8, sizeof offload> header;
  std::memcpy(header.data(), &offload, sizeof offload);
  std::array<iovec, 2> parts = {iovec{header.data(), header.size()},
                                iovec{const_cast<u8*>(frame.data()), frame.size()}};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

std::span<u8> receive_frame(int socket, std::span<u8> room, Offload* offload, bool* whole) {
  std::array<iovec, 2> parts = {iovec{offload, sizeof *offload}, iovec{room.data(), room.size()}};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT);
  if (got <= static_cast<ssize_t>(sizeof *offload)) return {};  // an end comes as EPOLLHUP
  *whole = (message.msg_flags & MSG_TRUNC) == 0;
  return room.first(static_cast<std::size_t>(got) - sizeof *offload);
}

}  // namespace pileus::packet
