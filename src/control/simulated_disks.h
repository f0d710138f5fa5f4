// The volumes, snapshots and transfers of a simulated host: records without bytes, every task done at once.
#pragma once

#include "control/clock.h"
#include "control/disk_protocol.h"
#include "control/view.h"

namespace pileus::control {

// What a volume asks of its host, out of the view.
struct SimulatedDisk {
  model::HostId host;  // none: it lives nowhere
  VolumeTask task;
  std::vector<SnapshotTask> snapshots;
  bool in_use = false;  // by an instance
  bool silent = false;  // that a new instance has its volumes is told with the instance
  bool waits() const { return task.goal != VolumeGoal::kHold && in_use; }
};
SimulatedDisk simulated_disk(const View& view, const VolumeView& volume);

// Does what is asked. Whether something was told.
Result<bool> attend(state::Store& store, const Clock& clock, const SimulatedDisk& disk);
// Of an active transfer that was given to `host`. What comes in is disks of a GiB.
Result<bool> attend(state::Store& store, const Clock& clock, model::HostId host, const TransferView& transfer);

// Has all of these layers from now on. Whether it had not.
Result<bool> fetch_layers(state::Store& store, model::HostId host, const model::Layers& layers);

// The active transfers that were given to hosts, with copies of their records.
std::vector<TransferView> placed_transfers(const View& view);

}  // namespace pileus::control
