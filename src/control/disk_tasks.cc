#include "control/disk_tasks.h"

#include <algorithm>

namespace pileus::control {
namespace {

const model::DiskWish* wish_for(const View& view, const model::VolumeDesired& volume) {
  const InstanceView* instance = volume.attached_to ? view.find(volume.attached_to) : nullptr;
  if (instance == nullptr) return nullptr;
  const auto& disks = instance->desired.value.disks;
  const auto wish = std::ranges::find(disks, volume.id, &model::DiskWish::volume);
  return wish == disks.end() ? nullptr : &*wish;
}

VolumeGoal goal_of(const View& view, const VolumeView& volume) {
  // What is to be a snapshot is taken first.
  if (!view.disks().pending_snapshots(volume.desired.value.id).empty()) return VolumeGoal::kHold;
  if (!volume.desired.value.wanted) return VolumeGoal::kDelete;
  return volume.placed.value.leaving ? VolumeGoal::kHandOver : VolumeGoal::kHold;
}

// A disk of an instance that was launched before volumes had records.
VolumeTask task_without_record(const View& view, const model::InstanceDesired& instance, const model::DiskWish& disk) {
  VolumeTask task;
  task.id = disk.volume;
  task.epoch = 1;
  task.size_gib = disk.size_gib;
  const LibraryImage* image = view.disks().find(instance.image);
  if (image != nullptr) task.image_name = image->name;
  task.instance = instance.id;
  task.device = disk.device;
  task.observed.id = disk.volume;
  return task;
}

void add_snapshots(const View& view, model::VolumeId volume, DiskTasks& tasks) {
  for (const model::SnapshotId id : view.disks().pending_snapshots(volume)) {
    tasks.snapshots.push_back(snapshot_task(*view.disks().find(id)));
  }
}

void add_volume(const View& view, const VolumeView& volume, DiskTasks& tasks) {
  tasks.volumes.push_back(volume_task(view, volume));
  add_snapshots(view, volume.desired.value.id, tasks);
}

void add_disks_of(const View& view, const InstanceView& instance, model::HostId host, DiskTasks& tasks) {
  for (const model::DiskWish& disk : instance.desired.value.disks) {
    const VolumeView* volume = view.disks().find(disk.volume);
    if (volume == nullptr || !volume->desired.exists()) {
      tasks.volumes.push_back(task_without_record(view, instance.desired.value, disk));
    } else if (!volume->placed.exists() && home_of(view, *volume).host == host) {
      add_volume(view, *volume, tasks);
    }
  }
}

bool holds(const HostView& host, const std::string& layer) {
  return std::ranges::binary_search(host.layers.value.layers, layer);
}

// Of those that the host lacks.
void add_sources(const View& view, model::HostId id, const model::Layers& layers, DiskTasks& tasks) {
  for (const std::string& layer : layers) {
    if (holds(*view.find(id), layer) || tasks.layer_sources.contains(layer)) continue;
    std::vector<std::string>& sources = tasks.layer_sources[layer];
    for (const model::HostId other : view.holders_of(layer)) {
      const HostView& host = *view.find(other);
      const std::string& address = host.layers.value.address;
      if (other != id && !address.empty() && host.alive != 0) sources.push_back(address);
    }
  }
}

// Who has handed a volume over has its layers, whether or not it has reported them yet.
void add_last_host(const View& view, const VolumeView& volume, DiskTasks& tasks) {
  const HostView* const last = view.find(volume.placed.value.host);
  if (last == nullptr || last->layers.value.address.empty() || last->alive == 0) return;
  const std::string& address = last->layers.value.address;
  for (const std::string& layer : volume.observed.value.layers) {
    const auto known = tasks.layer_sources.find(layer);
    if (known == tasks.layer_sources.end()) continue;  // the host that asks has it
    std::vector<std::string>& sources = known->second;
    if (std::ranges::find(sources, address) == sources.end()) sources.push_back(address);
  }
}

void add_layers(const View& view, model::HostId id, DiskTasks& tasks) {
  const HostView* self = view.find(id);
  if (self == nullptr) return;
  for (const std::string& layer : self->layers.value.layers) {
    if (view.disks().is_needed(layer)) tasks.needed_layers.push_back(layer);
  }
  for (const VolumeTask& task : tasks.volumes) add_sources(view, id, task.layers, tasks);
  for (const TransferTask& task : tasks.transfers) add_sources(view, id, task.desired.layers, tasks);
  tasks.layers_ahead = layers_ahead(view, id);
  add_sources(view, id, tasks.layers_ahead, tasks);
  for (const model::InstanceId coming : view.arriving(id)) {
    for (const model::DiskWish& disk : view.find(coming)->desired.value.disks) {
      const VolumeView* const volume = view.disks().find(disk.volume);
      if (volume != nullptr && is_handed_over(*volume)) add_last_host(view, *volume, tasks);
    }
  }
}

}  // namespace

VolumeHome home_of(const View& view, const VolumeView& volume) {
  if (volume.placed.exists()) return {volume.placed.value.host, volume.placed.value.epoch};
  if (!volume.desired.value.attached_to) return {};
  const InstanceView* instance = view.find(volume.desired.value.attached_to);
  if (instance == nullptr || !instance->placed.exists()) return {};
  return {instance->placed.value.host, 1};
}

model::VolumePlaced first_place(const VolumeView& volume, const InstanceView& instance, model::Millis now) {
  model::VolumePlaced placed;
  placed.id = volume.desired.value.id;
  placed.host = instance.placed.value.host;
  placed.epoch = 1;
  placed.layers = volume.desired.value.begins_as;
  placed.placed_at = now;
  return placed;
}

model::VolumePlaced next_place(const VolumeView& volume, model::HostId host, model::Millis now) {
  model::VolumePlaced placed = volume.placed.value;
  placed.host = host;
  placed.epoch++;
  placed.leaving = false;
  placed.layers = volume.observed.value.layers;
  placed.placed_at = now;
  return placed;
}

bool is_handed_over(const VolumeView& volume) {
  const model::VolumePlaced& placed = volume.placed.value;
  return placed.leaving && volume.observed.value.handed_over && volume.observed.value.epoch == placed.epoch;
}

model::Layers layers_to_fetch(const View& view, const InstanceView& instance) {
  model::Layers layers;
  for (const model::DiskWish& disk : instance.desired.value.disks) {
    const VolumeView* const volume = view.disks().find(disk.volume);
    if (volume == nullptr) continue;
    const model::Layers of =
        is_handed_over(*volume) ? volume->observed.value.layers : volume_task(view, *volume).layers;
    layers.insert(layers.end(), of.begin(), of.end());
  }
  return layers;
}

model::Layers layers_ahead(const View& view, model::HostId host) {
  model::Layers layers;
  for (const model::InstanceId id : view.arriving(host)) {
    for (std::string& layer : layers_to_fetch(view, *view.find(id))) {
      if (std::ranges::find(layers, layer) == layers.end()) layers.push_back(std::move(layer));
    }
  }
  return layers;
}

model::InstanceId holder_of(const View& view, const VolumeView& volume) {
  const model::VolumeId id = volume.desired.value.id;
  for (const model::InstanceId each : view.on_host(home_of(view, volume).host)) {
    const InstanceView& instance = *view.find(each);
    if (instance.observed.value.state == model::InstanceState::kTerminated) continue;
    const auto& has = instance.observed.value.attached_volumes;
    if (std::ranges::find(has, id) != has.end()) return each;
  }
  return {};
}

VolumeTask volume_task(const View& view, const VolumeView& volume) {
  const model::VolumeDesired& desired = volume.desired.value;
  VolumeTask task;
  task.id = desired.id;
  task.goal = goal_of(view, volume);
  task.epoch = home_of(view, volume).epoch;
  task.size_gib = desired.size_gib;
  task.layers = volume.placed.exists() ? volume.placed.value.layers : desired.begins_as;
  const LibraryImage* image = desired.image ? view.disks().find(desired.image) : nullptr;
  if (image != nullptr && task.layers.empty()) {
    task.image_name = image->name;
    if (!image->layer.empty()) task.layers = {image->layer};
  }
  if (const model::DiskWish* wish = wish_for(view, desired)) {
    task.instance = desired.attached_to;
    task.device = wish->device;
  }
  task.observed = volume.observed.value;
  task.observed.id = desired.id;
  return task;
}

SnapshotTask snapshot_task(const SnapshotView& snapshot) {
  return {.id = snapshot.desired.value.id,
          .volume = snapshot.desired.value.volume,
          .with_reboot = snapshot.desired.value.with_reboot,
          .moment = snapshot.desired.value.moment,
          .observed = snapshot.observed.value};
}

DiskTasks disk_tasks(const View& view, model::HostId host) {
  DiskTasks tasks;
  for (const model::InstanceId id : view.on_host(host)) {
    const InstanceView& instance = *view.find(id);
    const bool over = instance.observed.value.state == model::InstanceState::kTerminated;
    if (instance.desired.exists() && !over) add_disks_of(view, instance, host, tasks);
  }
  for (const model::VolumeId id : view.disks().on_host(host)) {
    const VolumeView& volume = *view.disks().find(id);
    if (volume.desired.exists()) add_volume(view, volume, tasks);
  }
  for (const model::TransferId id : view.disks().active_transfers()) {
    const TransferView& transfer = *view.disks().find(id);
    const bool here = transfer.placed.exists() && transfer.placed.value.host == host;
    if (here && transfer.desired.value.wanted)
      tasks.transfers.push_back({transfer.desired.value, transfer.observed.value});
  }
  add_layers(view, host, tasks);
  return tasks;
}

}  // namespace pileus::control
