#include "os/daemon.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

namespace pileus::os {
namespace {

// A datagram socket at `path`, as systemd has one for those who tell it that they are ready.
Fd listen_at(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

std::string received(const Fd& socket) {
  std::array<char, 64> text = {};
  const ssize_t size = ::recv(socket.get(), text.data(), text.size(), 0);
  return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

TEST(Daemon, TellsWhoWaitsForItThatItIsReady) {
  const TemporaryDirectory folder = TemporaryDirectory::create(::testing::TempDir() + "/ready-").value();
  const std::string path = (folder.path() / "notify").string();
  const Fd socket = listen_at(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  tell_ready();
  EXPECT_EQ(received(socket), "READY=1");
  ::unsetenv("NOTIFY_SOCKET");
  tell_ready();
  EXPECT_EQ(received(socket), "");
}

}  // namespace
}  // namespace pileus::os
