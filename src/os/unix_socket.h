// Local sockets by path, and lines read from them.
//
// A path may be longer than the 107 bytes that sockaddr_un holds: it is reached through its
// folder's descriptor.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace pileus::os {

// Listens at `path`, in place of whatever socket an earlier process left there. Only our user may
// connect. `type`: SOCK_STREAM, or SOCK_SEQPACKET to keep messages apart.
Result<Fd> listen_unix(const std::filesystem::path& path, int type = SOCK_STREAM);

// kNotFound when nobody listens there.
Result<Fd> connect_unix(const std::filesystem::path& path, int type = SOCK_STREAM);

// The next connection of a listening socket; not inherited by children.
Result<Fd> accept_connection(int listener);

// Cuts a byte stream into lines without their '\n'. A peer that sends `limit` bytes without one is
// refused.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t limit) : limit_(limit) {}
  // False when the unfinished line is longer than the limit: the peer is to be dropped.
  [[nodiscard]] bool append(std::string_view data);
  std::optional<std::string> next();

 private:
  std::size_t limit_;
  std::string pending_;
};

// Sends everything or fails; no SIGPIPE. A peer that takes nothing for `timeout` is given up
// (kTimeout).
Result<> send_all(int socket, std::string_view data, std::chrono::milliseconds timeout);

// Reads once, waiting at most `timeout`; an empty string is the end of the stream.
Result<std::string> receive_some(int socket, std::chrono::milliseconds timeout);

}  // namespace pileus::os
