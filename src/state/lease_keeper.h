// LeaseKeeper: a lease that is kept alive by a thread, for as long as the object lives: "this cloud manager leads", "this
// host is here".
//
// holds() is what to ask before acting on it. It compares clocks only: it turns false before the store can have given
// the lease up, also when the store cannot be reached or this process was asleep. (Clocks may differ in rate by a
// hundredth; an etcd that loses its leader only makes leases longer.)
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "state/store.h"

namespace pileus::state {

class LeaseKeeper {
 public:
  // Asks for a lease and begins to keep it. `on_lost` is called once, on the thread of the keeper, when holds() has turned
  // false for good; it must not destroy the keeper. `store` must outlive it.
  static Result<std::unique_ptr<LeaseKeeper>> start(Store& store, std::chrono::seconds ttl,
                                                    std::function<void()> on_lost);
  // Revokes the lease, if the store can be reached.
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  LeaseId id() const { return lease_.id; }
  // False once, false for ever. Any thread.
  bool holds() const;

 private:
  using Clock = std::chrono::steady_clock;
  LeaseKeeper(Store& store, Lease lease, Clock::time_point asked, std::function<void()> on_lost);
  Clock::time_point certain_until(Clock::time_point asked) const;
  void keep();
  bool keep_once();

  Store& store_;
  const Lease lease_;
  const std::function<void()> on_lost_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Clock::time_point until_;  // holds until then; guarded by mutex_
  mutable bool lost_ = false;  // guarded by mutex_
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pileus::state
