// Runner: controllers in a thread of their own. They run when something in the store has changed, and now and then without
// that, for what only time brings.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/controller.h"

namespace pileus::control {

class Runner {
 public:
  // `interval`: the longest that they rest.
  Runner(state::Store& store, std::vector<std::unique_ptr<Controller>> controllers, std::chrono::milliseconds interval);
  // Waits for the run that is under way.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  u64 runs() const { return runs_; }
  u64 failures() const { return failures_; }

 private:
  void run();
  void run_all();
  // Until something has changed, the interval is over, or the end has come.
  void rest();

  state::Store& store_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  const std::chrono::milliseconds interval_;
  std::atomic<bool> ended_{false};
  std::atomic<u64> runs_{0};
  std::atomic<u64> failures_{0};
  std::mutex mutex_;  // of the pointer, for the one who cancels
  std::unique_ptr<state::Watch> watch_;
  std::thread thread_;
};

}  // namespace pileus::control
