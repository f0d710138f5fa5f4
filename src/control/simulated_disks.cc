#include "control/simulated_disks.h"

#include "control/disk_reports.h"
#include "control/disk_tasks.h"
#include "control/transfer_reports.h"

namespace pileus::control {
namespace {

// Of the form of a layer's name, another one for each id and epoch.
std::string made_up_layer(u64 id, u64 epoch) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const u64 number : {u64{0}, u64{0}, epoch, id}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[number >> static_cast<u32>(shift) & 15U];
  }
  return text;
}

model::Layers with_one_more(model::Layers layers, u64 id, u64 epoch) {
  if (layers.size() >= model::kMaxLayers) layers.clear();  // merged into one
  layers.push_back(made_up_layer(id, epoch));
  return layers;
}

// One that the host does not hear of any more: what it knew lags.
Result<bool> told_or_late(const Result<>& told) {
  if (told) return true;
  if (told.error().code() == ErrorCode::kNotFound) return false;
  return told.error();
}

Result<bool> attend_volume(state::Store& store, const Clock& clock, const SimulatedDisk& disk) {
  const VolumeTask& task = disk.task;
  if (disk.waits()) return false;
  VolumeObservation told;
  told.deleted = task.goal == VolumeGoal::kDelete;
  told.observed = task.observed;
  told.observed.state = model::VolumeState::kAvailable;
  told.observed.host = disk.host;
  told.observed.epoch = task.epoch;
  told.observed.size_gib = task.size_gib;
  told.observed.handed_over = task.goal == VolumeGoal::kHandOver;
  told.observed.layers.clear();
  if (told.observed.handed_over) {
    told.observed.layers = with_one_more(task.layers, task.id.value(), task.epoch);
    told.what = "handed over";
  }
  if (!told.deleted && told.observed == task.observed) return false;
  return told_or_late(observe_volume(store, clock, disk.host, told));
}

Result<bool> attend_snapshot(state::Store& store, const Clock& clock, const SimulatedDisk& disk,
                             const SnapshotTask& task) {
  SnapshotObservation told;
  told.observed = task.observed;
  told.observed.state = model::SnapshotState::kCompleted;
  told.observed.progress_percent = 100;
  told.observed.layers = with_one_more(disk.task.layers, task.id.value(), 0);
  told.what = "completed";
  TRY(fetch_layers(store, disk.host, told.observed.layers));  // as hosts with an address for others, it says so
  return told_or_late(observe_snapshot(store, clock, disk.host, told));
}

}  // namespace

SimulatedDisk simulated_disk(const View& view, const VolumeView& volume) {
  SimulatedDisk disk;
  disk.host = home_of(view, volume).host;
  if (!disk.host) return disk;
  disk.task = volume_task(view, volume);
  for (const model::SnapshotId id : view.disks().pending_snapshots(disk.task.id)) {
    disk.snapshots.push_back(snapshot_task(*view.disks().find(id)));
  }
  disk.in_use = static_cast<bool>(holder_of(view, volume));
  const bool changed = volume.desired.value.changed_from.started_at != 0;
  disk.silent = !volume.placed.exists() && !volume.observed.exists() && !changed;
  return disk;
}

Result<bool> attend(state::Store& store, const Clock& clock, const SimulatedDisk& disk) {
  bool done = false;
  for (const SnapshotTask& task : disk.snapshots) done |= TRY(attend_snapshot(store, clock, disk, task));
  if (disk.silent) return done;
  return TRY(attend_volume(store, clock, disk)) || done;
}

Result<bool> fetch_layers(state::Store& store, model::HostId host, const model::Layers& layers) {
  if (layers.empty()) return false;
  auto held = TRY(read<model::HostLayers>(store, model::layers_key(host)));
  std::set<std::string> all(held.value.layers.begin(), held.value.layers.end());
  const std::size_t before = all.size();
  all.insert(layers.begin(), layers.end());
  if (all.size() == before) return false;
  held.value.id = host;
  held.value.address = "https://" + host.text();  // nobody asks there
  held.value.layers.assign(all.begin(), all.end());
  Change change;
  change.update(model::layers_key(host), held.value, held.revision);
  return TRY(change.commit(store)).has_value();
}

std::vector<TransferView> placed_transfers(const View& view) {
  std::vector<TransferView> transfers;
  for (const model::TransferId id : view.disks().active_transfers()) {
    const TransferView& transfer = *view.disks().find(id);
    if (transfer.placed.exists() && transfer.desired.value.wanted) transfers.push_back(transfer);
  }
  return transfers;
}

Result<bool> attend(state::Store& store, const Clock& clock, model::HostId host, const TransferView& transfer) {
  constexpr u64 kBytes = u64{1} << 30;
  model::TransferObserved told = transfer.observed.value;
  told.state = model::TransferState::kCompleted;
  told.disks.clear();
  for (const model::TransferDisk& disk : transfer.desired.value.disks) {
    if (disk.is_file()) told.disks.push_back({made_up_layer(disk.snapshot.value(), 0), kBytes, kBytes});
  }
  return told_or_late(observe_transfer(store, clock, host, told));
}

}  // namespace pileus::control
