#include "control/host_health.h"

namespace pileus::control {

Result<u32> HostHealthController::run_once() {
  TRY(view_.sync());
  u32 changed = 0;
  for (const auto& [id, host] : view_.hosts()) {
    if (host.desired.exists() && TRY(judge(id, host))) changed++;
  }
  return changed;
}

Result<bool> HostHealthController::judge(model::HostId id, const HostView& host) {
  using enum model::HostState;
  model::HostHealth health = host.health.value;
  const model::HostState now = host.desired.value.mode == model::HostMode::kRetired ? kRemoved
                               : host.alive != 0                                    ? kReady
                                                                                    : kUnreachable;
  if (host.health.exists()) {
    // Removed is the end: a host that comes back joins anew, under another id.
    if (health.state == now || health.state == kRemoved) return false;
    TRY(model::apply_move(health.state, now));
  }
  health.id = id;
  health.state = now;
  health.changed_at = clock_.now();
  Change change;
  change.expect(model::alive_key(id), host.alive);
  change.expect(model::desired_key(id), host.desired.revision);
  change.update(model::health_key(id), health, host.health.revision);
  TRY(change.add_event(
      store_, model::events_key(id),
      {health.changed_at, "health", std::string(model::name(now)), now == kUnreachable ? "its lease ran out" : ""}));
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
