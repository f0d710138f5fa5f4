// What a host is asked for in volumes and snapshots, out of the view.
#pragma once

#include "control/disk_protocol.h"
#include "control/view.h"

namespace pileus::control {

// Where a volume lives: where it was placed, or where the instance is that it was launched with.
struct VolumeHome {
  model::HostId host;  // none: nowhere
  u64 epoch = 0;
};
VolumeHome home_of(const View& view, const VolumeView& volume);
// For a volume that lives where its instance does, and is to say so itself.
model::VolumePlaced first_place(const VolumeView& volume, const InstanceView& instance, model::Millis now);
// For one that was handed over: on that host, as what it was made of.
model::VolumePlaced next_place(const VolumeView& volume, model::HostId host, model::Millis now);
// Frozen by the host where it lives, which has told all of it.
bool is_handed_over(const VolumeView& volume);
// What the disks of an instance are made of, as far as that is known: all of it when they were handed over, else what they
// began as.
model::Layers layers_to_fetch(const View& view, const InstanceView& instance);
// The same of all instances that are moving to the host, each once.
model::Layers layers_ahead(const View& view, model::HostId host);
// The instance that has it now, wanted or not; none: no instance has.
model::InstanceId holder_of(const View& view, const VolumeView& volume);

// The same while nothing changes.
DiskTasks disk_tasks(const View& view, model::HostId host);
// Of one volume that lives on that host.
VolumeTask volume_task(const View& view, const VolumeView& volume);
SnapshotTask snapshot_task(const SnapshotView& snapshot);

}  // namespace pileus::control
