#include "os/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

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

// A process gives its locks up some time before it is gone; its pidfd becomes readable when it is.
Result<bool> ends_within(const Fd& process, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{process.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<i64>(left.count(), 0)));
    if (ready < 0 && errno != EINTR) return Error::from_errno("wait for a process");
    if (ready >= 0) return ready > 0;
  }
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
  if (!socket.valid()) return;
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
  if (!FileLock::held(pid_file)) return {};
  const std::string text = TRY(read_file(pid_file));
  const int pid = std::atoi(text.c_str());
  if (pid <= 1) return Error(ErrorCode::kCorrupt, pid_file.string() + " is locked, but does not say by which process");
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid() && errno != ESRCH) return Error::from_errno("watch process " + std::to_string(pid));
  // It may have ended before it could be watched, and the number be another's.
  if (!process.valid() || !FileLock::held(pid_file)) return {};
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) != 0 && errno != ESRCH)
    return Error::from_errno("end process " + std::to_string(pid));
  if (TRY(ends_within(process, patience))) return {};
  return Error(ErrorCode::kTimeout, "it does not end: `kill -9 " + std::to_string(pid) + "` ends it");
}

int run_daemon(const char* program, const std::function<Result<int>()>& serve) {
  block_signals();
  const Result<int> result = serve();
  if (result) return *result;
  std::fprintf(stderr, "%s: %s\n", program, result.error().message().c_str());
  return 1;
}

}  // namespace pileus::os
