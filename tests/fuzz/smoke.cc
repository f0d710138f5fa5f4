#include "smoke.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#include "base/result.h"
#include "mutate.h"

namespace pileus::fuzz {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kHang{10};
constexpr std::chrono::milliseconds kPoll{5};

// In memory that the child shares with its parent, who may have to tell where the child died.
struct Progress {
  std::atomic<u64> input{0};
  std::atomic<bool> done{false};  // all inputs survived: what fails afterwards is the search for leaks
};

[[noreturn]] void run_child(const Target& target, std::chrono::milliseconds duration, Progress& progress) {
  const InputMaker maker(target);
  const Clock::time_point end = Clock::now() + duration;
  for (u64 number = 0; Clock::now() < end; ++number) {
    progress.input.store(number, std::memory_order_relaxed);
    target.run(maker.make(number));
  }
  progress.done.store(true, std::memory_order_relaxed);
  std::exit(0);  // not _exit: a leak sanitizer searches on the way out, and makes the status another
}

// The child's wait status; kills it when it makes no progress.
int watch(pid_t child, const Progress& progress, bool& hung) {
  u64 seen = 0;
  Clock::time_point since = Clock::now();
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    const u64 now_at = progress.input.load(std::memory_order_relaxed);
    if (now_at != seen) {
      seen = now_at;
      since = Clock::now();
    } else if (Clock::now() - since > kHang) {
      hung = true;
      ::kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

bool smoke(const Target& target, std::chrono::milliseconds duration) {
  void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  auto* progress = new (shared) Progress;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) run_child(target, duration, *progress);

  bool hung = false;
  const int status = watch(child, *progress, hung);
  const std::string name(target.name);
  const auto number = static_cast<unsigned long long>(progress->input.load());
  const bool done = progress->done.load();
  ::munmap(shared, sizeof(Progress));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    std::printf("%s: ok, %llu inputs\n", name.c_str(), number + 1);
    return true;
  }
  if (done) {
    std::printf("%s: FAILED after %llu inputs, none of which failed (leaks?)\n", name.c_str(), number + 1);
    return false;
  }
  const char* how = hung ? "hung" : WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "exited";
  std::printf("%s: FAILED at input %llu (%s); again: pileus_fuzz repeat %s %llu\n", name.c_str(), number, how,
              name.c_str(), number);
  return false;
}

}  // namespace pileus::fuzz
