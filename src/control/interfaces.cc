#include "control/interfaces.h"

#include "model/network.h"

namespace pileus::control {

Result<u32> InterfaceReaper::run_once() {
  TRY(view_.sync());
  const auto now = std::chrono::steady_clock::now();
  if (swept_at_ && now < *swept_at_ + kSweep) return release_of_ended();
  const u32 done = TRY(sweep());
  swept_at_ = now;
  return done;
}

// Instances name their interfaces, so those that have ended since are found without reading all there are.
Result<u32> InterfaceReaper::release_of_ended() {
  u32 done = 0;
  for (const auto& [id, instance] : view_.instances()) {
    if (instance.observed.value.state != model::InstanceState::kTerminated || !instance.desired.exists()) continue;
    if (released_.contains(id)) continue;
    bool all = true;
    for (const model::InterfaceId interface : instance.desired.value.interfaces) {
      const Outcome outcome = TRY(release(model::desired_key(interface)));
      if (outcome == Outcome::kReleased) ++done;
      all &= outcome != Outcome::kNotNow;
    }
    if (all) released_.insert(id);
  }
  return done;
}

Result<u32> InterfaceReaper::sweep() {
  std::erase_if(released_, [this](const model::InstanceId id) { return !view_.instances().contains(id); });
  const std::string prefix(model::kind_prefix(model::IdKind::kInterface));
  state::Get all{state::KeyRange::prefix(prefix)};
  const state::Snapshot found = TRY(store_.get(all));
  u32 done = 0;
  for (const state::KeyValue& entry : found.entries) {
    if (model::split_key(model::IdKind::kInterface, entry.key).part != "desired") continue;
    const auto interface = TRY(decode_entry<model::InterfaceDesired>(entry));
    if (!interface.value.instance) continue;
    const auto instance = view_.instances().find(interface.value.instance);
    // One that is not in view may be newer than the view: the record itself decides.
    const bool ended = instance == view_.instances().end() ||
                       instance->second.observed.value.state == model::InstanceState::kTerminated;
    if (ended && TRY(release(entry.key)) == Outcome::kReleased) ++done;
  }
  return done;
}

Result<InterfaceReaper::Outcome> InterfaceReaper::release(const std::string& key) {
  const auto interface = TRY(read<model::InterfaceDesired>(store_, key));
  if (!interface.exists()) return Outcome::kNothing;
  const auto observed = TRY(read<model::InstanceObserved>(store_, model::observed_key(interface.value.instance)));
  if (observed.exists() && observed.value.state != model::InstanceState::kTerminated) return Outcome::kNotNow;
  Change change;
  change.expect(key, interface.revision);
  change.expect(model::observed_key(interface.value.instance), observed.revision);
  change.erase(state::KeyRange::key(key));
  change.erase(
      state::KeyRange::key(model::subnet_address_key(interface.value.subnet, interface.value.private_address)));
  return TRY(change.commit(store_)) ? Outcome::kReleased : Outcome::kNotNow;
}

}  // namespace pileus::control
