#include "control/clone_controller.h"

namespace pileus::control {
namespace {

bool awaits_disks(const InstanceView& instance) {
  return instance.desired.exists() && instance.observed.exists() && instance.desired.value.awaits_disks &&
         instance.observed.value.state != model::InstanceState::kTerminated;
}

}  // namespace

Result<u32> CloneController::run_once() {
  TRY(work_.refresh());
  const u32 done = TRY(fill_clones());
  return done + TRY(forget_snapshots());
}

Result<u32> CloneController::fill_clones() {
  const auto clones =
      work_.instances([](model::InstanceId, const InstanceView& instance) { return awaits_disks(instance); });
  u32 done = 0;
  for (const auto& [id, clone] : clones) {
    if (!TRY(fill(clone))) continue;  // it stays on the list
    work_.done(id);
    ++done;
  }
  return done;
}

// All in one transaction, so that nobody sees a clone with some of its disks.
Result<bool> CloneController::fill(const InstanceView& clone) {
  model::InstanceDesired desired = clone.desired.value;
  Change change;
  for (const model::DiskWish& disk : desired.disks) {
    auto volume = TRY(read<model::VolumeDesired>(store_, model::desired_key(disk.volume)));
    if (!volume.value.copying) continue;
    const model::SnapshotId id = volume.value.snapshot;
    const auto snapshot = TRY(read<model::SnapshotObserved>(store_, model::observed_key(id)));
    if (!snapshot.exists()) return fail(clone, "its snapshot is gone");
    if (snapshot.value.state == model::SnapshotState::kError) return fail(clone, snapshot.value.reason);
    if (snapshot.value.state != model::SnapshotState::kCompleted) {
      TRY(note_waiting(clone, snapshot.value.reason));
      return false;
    }
    change.expect(model::observed_key(id), snapshot.revision);
    volume.value.begins_as = snapshot.value.layers;
    volume.value.snapshot = {};
    volume.value.copying = false;
    change.update(model::desired_key(disk.volume), volume.value, volume.revision);
  }
  desired.awaits_disks = false;
  desired.generation++;
  model::InstanceObserved observed = clone.observed.value;
  observed.reason.clear();
  if (observed == clone.observed.value) change.expect(model::observed_key(desired.id), clone.observed.revision);
  else change.update(model::observed_key(desired.id), observed, clone.observed.revision);
  change.update(model::desired_key(desired.id), desired, clone.desired.revision);
  TRY(change.add_event(store_, model::events_key(desired.id),
                       {clock_.now(), "clones", "got its disks", "as those of " + desired.clone_of.text() + " were"}));
  return TRY(change.commit(store_)).has_value();
}

Result<> CloneController::note_waiting(const InstanceView& clone, const std::string& why) {
  model::InstanceObserved observed = clone.observed.value;
  observed.reason =
      why.empty() ? "" : "the disks of " + clone.desired.value.clone_of.text() + " are not copied yet: " + why;
  if (observed == clone.observed.value) return {};
  Change change;
  change.expect(model::desired_key(observed.id), clone.desired.revision);
  change.update(model::observed_key(observed.id), observed, clone.observed.revision);
  if (!why.empty()) {
    TRY(change.add_event(store_, model::events_key(observed.id), {clock_.now(), "clones", "waiting", observed.reason}));
  }
  TRY(change.commit(store_));  // if somebody was quicker: the next time
  return {};
}

Result<bool> CloneController::fail(const InstanceView& clone, const std::string& why) {
  model::InstanceObserved observed = clone.observed.value;
  TRY(model::apply_move(observed.state, model::InstanceState::kTerminated));
  observed.reason_code = "Client.InvalidSnapshot.NotFound";
  observed.reason = "The disks of " + clone.desired.value.clone_of.text() + " could not be copied: " + why;
  observed.changed_at = clock_.now();
  Change change;
  change.expect(model::desired_key(observed.id), clone.desired.revision);
  change.expect(model::placed_key(observed.id), 0);
  change.update(model::observed_key(observed.id), observed, clone.observed.revision);
  TRY(change.add_event(store_, model::events_key(observed.id),
                       {observed.changed_at, "clones", "terminated", observed.reason}));
  return TRY(change.commit(store_)).has_value();
}

Result<u32> CloneController::forget_snapshots() {
  const auto snapshots = work_.snapshots([](model::SnapshotId, const SnapshotView& snapshot) {
    return snapshot.desired.exists() && !snapshot.desired.value.clones.empty();
  });
  u32 done = 0;
  for (const auto& [id, snapshot] : snapshots) {
    if (!TRY(forget_if_unneeded(snapshot))) continue;  // it stays on the list
    work_.done(id);
    ++done;
  }
  return done;
}

// The records decide: the view may have heard of the snapshot before it hears of its clones.
Result<bool> CloneController::forget_if_unneeded(const SnapshotView& snapshot) {
  const model::SnapshotId id = snapshot.desired.value.id;
  Change change;
  change.expect(model::desired_key(id), snapshot.desired.revision);
  for (const model::InstanceId clone : snapshot.desired.value.clones) {
    InstanceView instance;
    instance.desired = TRY(read<model::InstanceDesired>(store_, model::desired_key(clone)));
    instance.observed = TRY(read<model::InstanceObserved>(store_, model::observed_key(clone)));
    if (awaits_disks(instance)) return false;
  }
  change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kSnapshot, id.text(), "")));
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
