#include "os/unix_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "os/file.h"

namespace pileus::os {
namespace {

constexpr int kBacklog = 256;

// /proc/self/fd/N/NAME is short however long the path is.
struct ShortAddress {
  Fd folder;
  sockaddr_un address = {};
};

Result<ShortAddress> short_address(const std::filesystem::path& path) {
  ShortAddress result;
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  result.folder = TRY(open_file(parent, O_PATH | O_DIRECTORY));
  const std::string text = "/proc/self/fd/" + std::to_string(result.folder.get()) + "/" + path.filename().string();
  if (text.size() >= sizeof result.address.sun_path) {
    return Error(ErrorCode::kInvalid, "the socket name " + path.filename().string() + " is too long");
  }
  result.address.sun_family = AF_UNIX;
  std::memcpy(result.address.sun_path, text.c_str(), text.size() + 1);
  return result;
}

const sockaddr* generic(const ShortAddress& address) { return reinterpret_cast<const sockaddr*>(&address.address); }

Result<> wait_for(int socket, short events, std::chrono::milliseconds timeout) {
  pollfd entry = {.fd = socket, .events = events, .revents = 0};
  const int ready = ::poll(&entry, 1, static_cast<int>(timeout.count()));
  if (ready < 0 && errno != EINTR) return Error::from_errno("poll");
  if (ready == 0) return Error(ErrorCode::kTimeout, "no answer in time");
  return {};
}

}  // namespace

Result<Fd> listen_unix(const std::filesystem::path& path, int type) {
  const ShortAddress address = TRY(short_address(path));
  Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error::from_errno("socket");
  ::unlink(path.c_str());
  // Made private before anybody can connect: nobody can until listen().
  if (::bind(socket.get(), generic(address), sizeof address.address) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return Error::from_errno("listen at " + path.string());
  }
  return socket;
}

Result<Fd> connect_unix(const std::filesystem::path& path, int type) {
  const ShortAddress address = TRY(short_address(path));
  Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error::from_errno("socket");
  if (::connect(socket.get(), generic(address), sizeof address.address) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) {
      return Error(ErrorCode::kNotFound, "nobody listens at " + path.string());
    }
    return Error::from_errno("connect to " + path.string());
  }
  return socket;
}

Result<Fd> accept_connection(int listener) {
  while (true) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return Error::from_errno("accept");
  }
}

bool LineBuffer::append(std::string_view data) {
  pending_.append(data);
  const std::size_t last = pending_.rfind('\n');
  const std::size_t unfinished = last == std::string::npos ? pending_.size() : pending_.size() - last - 1;
  return unfinished <= limit_;
}

std::optional<std::string> LineBuffer::next() {
  const std::size_t end = pending_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  return line;
}

Result<> send_all(int socket, std::string_view data, std::chrono::milliseconds timeout) {
  while (!data.empty()) {
    const ssize_t sent = ::send(socket, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      data.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(wait_for(socket, POLLOUT, timeout));
    } else if (errno != EINTR) {
      return Error::from_errno("send");
    }
  }
  return {};
}

Result<std::string> receive_some(int socket, std::chrono::milliseconds timeout) {
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t got = ::recv(socket, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got >= 0) return std::string(chunk.data(), static_cast<std::size_t>(got));
    if (errno == EAGAIN) {
      TRY(wait_for(socket, POLLIN, timeout));
    } else if (errno != EINTR) {
      return Error::from_errno("receive");
    }
  }
}

}  // namespace pileus::os
