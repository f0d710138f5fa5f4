// ChildProcess: one program we started. Waited for by its owner; killed and reaped when destroyed
// still running, unless detach() was called.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pileus::os {

// How a program ended.
struct ExitStatus {
  int code = 0;    // exit code, meaningful when signal is 0
  int signal = 0;  // the signal that ended it, or 0
  bool success() const { return code == 0 && signal == 0; }
  std::string describe() const;  // "exit status 3", "signal 9"
};

class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> argv;                                 // argv[0] is looked up in PATH
    std::vector<std::pair<std::string, std::string>> environment;  // added to ours
    int stdin_fd = -1;                                             // -1: /dev/null
    int stdout_fd = -1;                                            // -1: /dev/null
    int stderr_fd = -1;                                            // -1: /dev/null
    bool new_session = false;     // no terminal, so that Ctrl-C in ours does not reach it
    bool drop_ambient = false;    // it gets none of the capabilities that a service's user was given
    int parent_death_signal = 0;  // sent to it when the thread that spawned it ends; 0: none
  };
  static Result<ChildProcess> spawn(const Options& options);

  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)), ended_(other.ended_) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(ended_, other.ended_);
    return *this;
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  void signal(int number);
  // The same to all of its descendants that stayed in its session; for a child with new_session.
  void signal_session(int number);
  // How it ended; both may be called again afterwards.
  Result<ExitStatus> wait();
  // The same without waiting: nothing while it runs.
  Result<std::optional<ExitStatus>> poll();
  void detach() { pid_ = -1; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<ExitStatus> ended_;
};

struct Output {
  ExitStatus status;
  std::string text;
};

// Runs a program to its end and gives back what it printed on both outputs (the last `limit` bytes
// of it).
Result<Output> run_program(const std::vector<std::string>& argv,
                           const std::vector<std::pair<std::string, std::string>>& environment = {},
                           std::size_t limit = 1 << 20);

// The path of a program of ours: in the folder of the one that runs if it is there, else just `name`, for PATH to find.
std::string program_beside(const std::string& name);

// The full path of a program in PATH or, since a user's PATH may lack them, in the sbin folders.
std::optional<std::string> find_program(const std::string& name);

}  // namespace pileus::os
