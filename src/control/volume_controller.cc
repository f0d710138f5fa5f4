#include "control/volume_controller.h"

#include <algorithm>

#include "control/disk_reports.h"
#include "control/disk_tasks.h"
#include "model/image.h"

namespace pileus::control {
namespace {

// Instances whose volumes are nobody's any more: they have ended, and their host has let go.
bool is_over(const InstanceView* instance) {
  if (instance == nullptr || !instance->desired.exists()) return true;
  return instance->observed.value.state == model::InstanceState::kTerminated && !instance->placed.exists();
}

bool goes_with(const InstanceView* instance, const VolumeView& volume) {
  if (volume.desired.value.copying) return true;  // it holds nothing yet
  if (instance == nullptr) return !volume.placed.exists();
  const auto& disks = instance->desired.value.disks;
  const auto wish = std::ranges::find(disks, volume.desired.value.id, &model::DiskWish::volume);
  return wish != disks.end() ? wish->delete_on_termination : !volume.placed.exists();
}

bool is_removed(const View& view, model::HostId id) {
  const HostView* host = view.find(id);
  return host == nullptr || !host->desired.exists() || host->desired.value.mode == model::HostMode::kRetired;
}

}  // namespace

Result<u32> VolumeController::run_once() {
  TRY(work_.refresh());
  u32 done = TRY(act_on_volumes());
  done += TRY(fail_lost_snapshots());
  return done + TRY(finish_images());
}

VolumeController::Plan VolumeController::plan_for(const View& view, const VolumeView& volume) {
  const model::VolumeDesired& desired = volume.desired.value;
  const model::VolumePlaced& placed = volume.placed.value;
  if (!desired.wanted) {
    const bool nowhere = !volume.placed.exists() || is_removed(view, placed.host);
    return {nowhere ? Step::kForget : Step::kNone, {}};
  }
  if (desired.attached_to) {
    const InstanceView* instance = view.find(desired.attached_to);
    if (is_over(instance)) return {goes_with(instance, volume) ? Step::kForget : Step::kPart, {}};
  }
  return volume.placed.exists() ? plan_of_move(view, volume) : Plan{};
}

VolumeController::Plan VolumeController::plan_of_move(const View& view, const VolumeView& volume) {
  const model::VolumePlaced& placed = volume.placed.value;
  model::HostId wanted = placed.host;
  if (volume.desired.value.attached_to) {
    const InstanceView* instance = view.find(volume.desired.value.attached_to);
    if (instance->placed.exists()) wanted = instance->placed.value.host;
    const model::Migration& migration = instance->placed.value.migration;
    if (migration.down && placed.host != migration.to) {
      // It is handed over when the guest is down, and goes with its instance: the controller of migrations takes both.
      const bool stopped = instance->observed.value.state == model::InstanceState::kStopped;
      return {stopped && !placed.leaving ? Step::kAskFor : Step::kNone, migration.to};
    }
    if (migration.down) wanted = migration.to;
  }
  if (!placed.leaving) return {wanted == placed.host ? Step::kNone : Step::kAskFor, wanted};
  if (is_handed_over(volume)) return {Step::kTake, wanted};
  return {wanted == placed.host ? Step::kKeep : Step::kNone, wanted};
}

Result<u32> VolumeController::act_on_volumes() {
  // An instance that has changed may have changed what is to be done with its volumes.
  const auto instances = work_.instances([](model::InstanceId, const InstanceView&) { return true; });
  for (const auto& [id, instance] : instances) {
    for (const model::DiskWish& disk : instance.desired.value.disks) work_.add(disk.volume);
    work_.done(id);
  }
  const auto volumes = work_.volumes([](model::VolumeId, const VolumeView& volume) { return volume.desired.exists(); });
  std::vector<Plan> plans;
  view_->look([&](View& view) {
    for (const auto& [id, volume] : volumes) plans.push_back(plan_for(view, volume));
  });
  u32 done = 0;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (plans[i].step != Step::kNone) {
      if (!TRY(act(volumes[i].second, plans[i]))) continue;  // it stays on the list
      done++;
    }
    work_.done(volumes[i].first);
  }
  return done;
}

Result<bool> VolumeController::act(const VolumeView& volume, const Plan& plan) {
  const model::VolumeId id = volume.desired.value.id;
  Change change;
  change.expect(model::placed_key(id), volume.placed.revision);
  model::VolumePlaced placed = volume.placed.value;
  model::Event event{clock_.now(), "volumes", "", ""};
  const bool through_instance = volume.desired.value.wanted && (plan.step == Step::kForget || plan.step == Step::kPart);
  if (through_instance && !TRY(confirm_over(change, volume.desired.value.attached_to))) return false;
  switch (plan.step) {
    case Step::kNone: return true;
    case Step::kForget: erase_volume(change, volume); return TRY(change.commit(store_)).has_value();
    case Step::kPart: return part(change, volume);
    case Step::kAskFor:
      placed.leaving = true;
      event.what = "leaves " + placed.host.text();
      event.why = "it is to be attached on " + plan.host.text();
      break;
    case Step::kKeep:
      placed.leaving = false;
      event.what = "stays on " + placed.host.text();
      break;
    case Step::kTake:
      placed = next_place(volume, plan.host, event.at);
      event.what = "placed on " + placed.host.text();
      break;
  }
  change.expect(model::desired_key(id), volume.desired.revision);
  change.expect(model::observed_key(id), volume.observed.revision);
  change.put(model::placed_key(id), model::encode(placed));
  TRY(change.add_event(store_, model::events_key(id), event));
  return TRY(change.commit(store_)).has_value();
}

// The view may have heard of a volume before it hears of the instance that was launched with it: the records decide.
Result<bool> VolumeController::confirm_over(Change& change, model::InstanceId id) {
  InstanceView instance;
  instance.desired = TRY(read<model::InstanceDesired>(store_, model::desired_key(id)));
  instance.placed = TRY(read<model::InstancePlaced>(store_, model::placed_key(id)));
  instance.observed = TRY(read<model::InstanceObserved>(store_, model::observed_key(id)));
  change.expect(model::placed_key(id), instance.placed.revision);
  change.expect(model::observed_key(id), instance.observed.revision);
  return is_over(&instance);
}

Result<bool> VolumeController::part(Change& change, const VolumeView& volume) {
  model::VolumeDesired desired = volume.desired.value;
  const model::Event event{clock_.now(), "volumes", "detached", desired.attached_to.text() + " is terminated"};
  desired.attached_to = {};
  change.update(model::desired_key(desired.id), desired, volume.desired.revision);
  TRY(change.add_event(store_, model::events_key(desired.id), event));
  return TRY(change.commit(store_)).has_value();
}

Result<u32> VolumeController::fail_lost_snapshots() {
  const auto pending =
      work_.snapshots([](model::SnapshotId, const SnapshotView& snapshot) { return snapshot.pending(); });
  std::vector<bool> lost;
  view_->look([&](View& view) {
    for (const auto& [id, snapshot] : pending) {
      const VolumeView* volume = view.disks().find(snapshot.desired.value.volume);
      lost.push_back(volume == nullptr || !volume->desired.exists());
    }
  });
  u32 done = 0;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const auto& [id, snapshot] = pending[i];
    if (!lost[i]) continue;  // it stays on the list while it is pending
    model::SnapshotObserved observed = snapshot.observed.value;
    TRY(model::apply_move(observed.state, model::SnapshotState::kError));
    observed.reason = "its volume is gone";
    Change change;
    change.expect(model::desired_key(id), snapshot.desired.revision);
    change.expect(model::desired_key(snapshot.desired.value.volume), 0);
    change.update(model::observed_key(id), observed, snapshot.observed.revision);
    if (TRY(change.commit(store_))) done++;
  }
  return done;
}

Result<u32> VolumeController::finish_images() {
  std::set<model::ImageId> pending;
  view_->look([&](View& view) { pending = view.disks().pending_images(); });
  u32 done = 0;
  for (const model::ImageId id : pending) {
    if (TRY(finish_image(id))) done++;
  }
  return done;
}

Result<bool> VolumeController::finish_image(model::ImageId id) {
  const auto desired = TRY(read<model::ImageDesired>(store_, model::desired_key(id)));
  auto observed = TRY(read<model::ImageObserved>(store_, model::observed_key(id)));
  if (observed.value.state != model::ImageState::kPending) return false;  // the view lags
  Change change;
  change.expect(model::desired_key(id), desired.revision);
  bool all = true;
  std::string lost;
  for (const model::ImageDisk& disk : desired.value.disks) {
    if (!disk.snapshot) continue;
    const auto snapshot = TRY(read<model::SnapshotObserved>(store_, model::observed_key(disk.snapshot)));
    change.expect(model::observed_key(disk.snapshot), snapshot.revision);
    all &= snapshot.value.state == model::SnapshotState::kCompleted;
    const bool failed = !snapshot.exists() || snapshot.value.state == model::SnapshotState::kError;
    if (failed) lost = "snapshot " + disk.snapshot.text() + " failed: " + snapshot.value.reason;
  }
  if (!all && lost.empty()) return false;
  TRY(model::apply_move(observed.value.state,
                        lost.empty() ? model::ImageState::kAvailable : model::ImageState::kFailed));
  observed.value.reason = lost;
  change.update(model::observed_key(id), observed.value, observed.revision);
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
