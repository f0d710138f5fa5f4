// LeaseClock: when each lease ends. In memory only: a restart begins all times anew. Any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "state/store.h"

namespace pileus::state::sqlite {

class LeaseClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void add(LeaseId lease, std::chrono::seconds ttl, Time now);
  // Its time to live, which begins anew; nothing when it has ended.
  std::optional<std::chrono::seconds> keep_alive(LeaseId lease, Time now);
  bool has(LeaseId lease, Time now) const;
  void remove(LeaseId lease);
  // Whether it is being revoked: has() and keep_alive() do not know it then.
  void set_revoked(LeaseId lease, bool revoked);
  // Those whose time is over. From then on has() and keep_alive() do not know them.
  std::vector<LeaseId> ended(Time now);
  // When the next one ends; Time::max() when there is none.
  Time next_end() const;

 private:
  struct Entry {
    std::chrono::seconds ttl;
    Time end;
    bool ended = false;
    bool revoked = false;
    bool lives(Time now) const { return !ended && !revoked && end > now; }
  };
  mutable std::mutex mutex_;
  std::map<LeaseId, Entry> leases_;  // guarded by mutex_
};

}  // namespace pileus::state::sqlite
