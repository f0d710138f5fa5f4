#include "control/simulated_fleet.h"

namespace pileus::control {

void SimulatedFleet::add(SimulatedMachine& machine, model::HostObserved self) {
  const model::HostId id = self.id;
  members_[id].host = std::make_unique<SimulatedHost>(store_, clock_, machine, std::move(self));
}

Result<u32> SimulatedFleet::run_once() {
  u32 done = 0;
  const model::Millis now = clock_.now();
  for (auto& [id, member] : members_) {
    if (member.seen_at != 0 && now < member.seen_at + kKeepAlive) continue;
    done += TRY(member.host->join());
    member.seen_at = now;
  }
  TRY(view_.sync());
  for (const auto& [id, instance] : view_.instances()) {
    if (!instance.placed.exists() || !instance.desired.exists() || !instance.observed.exists()) continue;
    const auto found = members_.find(instance.placed.value.host);
    if (found != members_.end() && TRY(found->second.host->attend(instance))) done++;
  }
  for (auto& [id, member] : members_) done += member.host->stop_strangers(view_);
  return done;
}

}  // namespace pileus::control
