#include "control/host_health.h"

namespace pileus::control {

namespace {

model::HostState state_of(const HostView& host) {
  if (host.desired.value.mode == model::HostMode::kRetired) return model::HostState::kRemoved;
  return host.alive != 0 ? model::HostState::kReady : model::HostState::kUnreachable;
}

bool has_changed(model::HostId, const HostView& host) {
  if (!host.desired.exists()) return false;
  if (!host.health.exists()) return true;
  // Removed is the end: a host that comes back joins anew, under another id.
  const model::HostState known = host.health.value.state;
  return known != state_of(host) && known != model::HostState::kRemoved;
}

}  // namespace

Result<u32> HostHealthController::run_once() {
  TRY(work_.refresh());
  u32 changed = 0;
  for (const auto& [id, host] : work_.hosts(has_changed)) {
    if (!TRY(judge(id, host))) continue;  // it stays on the list
    work_.done(id);
    changed++;
  }
  return changed;
}

Result<bool> HostHealthController::judge(model::HostId id, const HostView& host) {
  model::HostHealth health = host.health.value;
  const model::HostState now = state_of(host);
  if (host.health.exists()) TRY(model::apply_move(health.state, now));
  health.id = id;
  health.state = now;
  health.changed_at = clock_.now();
  Change change;
  change.expect(model::alive_key(id), host.alive);
  change.expect(model::desired_key(id), host.desired.revision);
  change.update(model::health_key(id), health, host.health.revision);
  TRY(change.add_event(store_, model::events_key(id),
                       {health.changed_at, "health", std::string(model::name(now)),
                        now == model::HostState::kUnreachable ? "its lease ran out" : ""}));
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
