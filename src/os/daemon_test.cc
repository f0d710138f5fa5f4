#include "os/daemon.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

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

// A daemon that is told to end gives its lock up, and then takes its time.
[[noreturn]] void end_slowly(const std::filesystem::path& pid_file) {
  sigset_t ending;
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ending, nullptr);
  {
    const Result<FileLock> lock = take_pid_file(pid_file);
    if (!lock) ::_exit(1);
    int which = 0;
    ::sigwait(&ending, &which);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::_exit(7);
}

TEST(Daemon, IsGoneWhenItWasEnded) {
  const TemporaryDirectory folder = TemporaryDirectory::create(::testing::TempDir() + "/slow-").value();
  const std::filesystem::path pid_file = folder.path() / "daemon.lock";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) end_slowly(pid_file);
  while (!FileLock::held(pid_file) || read_file(pid_file).value().empty()) std::this_thread::yield();
  ASSERT_TRUE(end_daemon(pid_file, std::chrono::seconds(60)));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WNOHANG), child) << "it still runs";
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Daemon, ThatNobodyRunsNeedsNoEnd) {
  const TemporaryDirectory folder = TemporaryDirectory::create(::testing::TempDir() + "/none-").value();
  EXPECT_TRUE(end_daemon(folder.path() / "daemon.lock", std::chrono::seconds(1)));
}

}  // namespace
}  // namespace pileus::os
