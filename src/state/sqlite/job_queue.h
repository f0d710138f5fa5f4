// JobQueue: changes that wait for the writing thread, and whoever waits for their outcome.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "state/sqlite/writer.h"

namespace pileus::state::sqlite {

// One change. `run` is called by the writing thread within a batch; the outcome holds once the batch is durable.
struct Job {
  enum class State { kWaiting, kTaken, kDone };
  std::function<Result<>(Writer&)> run;
  // Called by the writing thread after `run`, when it is known whether its change is durable.
  std::function<void(bool durable)> settle = [](bool) {};
  Result<> outcome;
  State state = State::kWaiting;  // guarded by the queue's mutex
};

class JobQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMaxWaiting = 4096;
  static constexpr std::size_t kMaxBatch = 256;

  // Runs the job on the writing thread and gives its outcome. kBusy: nothing happened; kTimeout: it may happen yet.
  Result<> run(const std::shared_ptr<Job>& job, std::chrono::milliseconds patience);

  // For the writing thread: what waits, at most kMaxBatch; empty at `until` or once closed.
  std::vector<std::shared_ptr<Job>> take(Time until);
  void finish(const std::vector<std::shared_ptr<Job>>& jobs);
  // All that wait, and come later, get kBusy.
  void close();
  bool closed() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable work_;  // for the writing thread
  std::condition_variable done_;  // for all who wait for an outcome
  std::deque<std::shared_ptr<Job>> waiting_;  // guarded by mutex_
  bool closed_ = false;                       // guarded by mutex_
};

}  // namespace pileus::state::sqlite
