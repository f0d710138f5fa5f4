// Compactor: forgets the store's past beyond a certain age, so that it does not grow for ever. Whoever owns it calls
// step() now and then, e.g. each minute; several cloud managers may do so at the same time.
#pragma once

#include <chrono>
#include <deque>

#include "state/store.h"

namespace pileus::state {

class Compactor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Watches and reads may rely on the last `keep` of history. `store` must outlive it.
  Compactor(Store& store, std::chrono::milliseconds keep) : store_(store), keep_(keep) {}

  // Notes where the store is now, and compacts up to where it was when `keep` had not yet passed since. Gives the revision
  // that was compacted to, or 0 when there was nothing to do.
  Result<Revision> step(Time now);

 private:
  struct Sample {
    Time time;
    Revision revision;
  };
  static constexpr std::size_t kMaxSamples = 1024;

  Store& store_;
  const std::chrono::milliseconds keep_;
  std::deque<Sample> samples_;  // from old to new, each of another revision
};

}  // namespace pileus::state
