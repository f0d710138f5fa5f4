#include "os/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <string>

namespace pileus::os {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t blocked = ending_signals();
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool wait_for_end(std::chrono::milliseconds time) {
  const sigset_t blocked = ending_signals();
  const timespec limit{time.count() / 1000, time.count() % 1000 * 1'000'000};
  return ::sigtimedwait(&blocked, nullptr, &limit) > 0;
}

Result<FileLock> take_pid_file(const std::filesystem::path& file) {
  FileLock lock = TRY(FileLock::try_acquire(file));
  const Fd opened = TRY(open_file(file, O_WRONLY | O_TRUNC));
  TRY(write_all(opened.get(), std::to_string(::getpid()) + "\n"));
  return lock;
}

}  // namespace pileus::os
