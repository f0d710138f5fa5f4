#include "state/sqlite/lease_clock.h"

#include <algorithm>

namespace pileus::state::sqlite {

void LeaseClock::add(LeaseId lease, std::chrono::seconds ttl, Time now) {
  const std::lock_guard lock(mutex_);
  leases_[lease] = Entry{ttl, now + ttl};
}

std::optional<std::chrono::seconds> LeaseClock::keep_alive(LeaseId lease, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = leases_.find(lease);
  if (found == leases_.end() || !found->second.lives(now)) return std::nullopt;
  found->second.end = now + found->second.ttl;
  return found->second.ttl;
}

bool LeaseClock::has(LeaseId lease, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = leases_.find(lease);
  return found != leases_.end() && found->second.lives(now);
}

void LeaseClock::remove(LeaseId lease) {
  const std::lock_guard lock(mutex_);
  leases_.erase(lease);
}

void LeaseClock::set_revoked(LeaseId lease, bool revoked) {
  const std::lock_guard lock(mutex_);
  const auto found = leases_.find(lease);
  if (found != leases_.end()) found->second.revoked = revoked;
}

std::vector<LeaseId> LeaseClock::ended(Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<LeaseId> found;
  for (auto& [lease, entry] : leases_) {
    if (entry.end > now) continue;
    entry.ended = true;
    found.push_back(lease);
  }
  return found;
}

LeaseClock::Time LeaseClock::next_end() const {
  const std::lock_guard lock(mutex_);
  Time next = Time::max();
  for (const auto& [lease, entry] : leases_) next = std::min(next, entry.end);
  return next;
}

}  // namespace pileus::state::sqlite
