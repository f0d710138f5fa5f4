#include "os/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace pileus::os {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, number);
  return set;
}

void block_signals() {
  const sigset_t blocked = ending_signals();
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

bool wait_for_end(std::chrono::milliseconds time) {
  const sigset_t blocked = ending_signals();
  const timespec limit{time.count() / 1000, time.count() % 1000 * 1'000'000};
  return ::sigtimedwait(&blocked, nullptr, &limit) > 0;
}

void tell_ready() {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = path == nullptr ? 0 : std::strlen(path);
  if (length == 0 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // of the abstract kind
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr std::string_view kReady = "READY=1";
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // Where nobody listens, nobody waits.
  (void)::sendto(socket.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 size);
}

Result<FileLock> take_pid_file(const std::filesystem::path& file) {
  FileLock lock = TRY(FileLock::try_acquire(file));
  const Fd opened = TRY(open_file(file, O_WRONLY | O_TRUNC));
  TRY(write_all(opened.get(), std::to_string(::getpid()) + "\n"));
  return lock;
}

Result<> end_daemon(const std::filesystem::path& pid_file, std::chrono::seconds patience) {
  constexpr std::chrono::milliseconds kPoll{20};
  if (!FileLock::held(pid_file)) return {};
  const std::string text = TRY(read_file(pid_file));
  const int pid = std::atoi(text.c_str());
  if (pid <= 1) return Error(ErrorCode::kCorrupt, pid_file.string() + " is locked, but does not say by which process");
  if (::kill(pid, SIGTERM) != 0 && errno != ESRCH) return Error::from_errno("end process " + std::to_string(pid));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (FileLock::held(pid_file)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kTimeout, "it does not end: `kill -9 " + std::to_string(pid) + "` ends it");
    }
    std::this_thread::sleep_for(kPoll);
  }
  return {};
}

int run_daemon(const char* program, const std::function<Result<int>()>& serve) {
  block_signals();
  const Result<int> result = serve();
  if (result) return *result;
  std::fprintf(stderr, "%s: %s\n", program, result.error().message().c_str());
  return 1;
}

}  // namespace pileus::os
