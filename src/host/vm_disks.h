// The volumes of an instance's VM.
#pragma once

#include <set>
#include <vector>

#include "control/host_protocol.h"
#include "host/disk_places.h"

namespace pileus::host {

// The volume that an instance boots from, if it is one of those held here; else its disk is in its VM's folder.
std::optional<model::VolumeId> root_volume(const control::Assignment& assignment, const control::DiskTasks& tasks);

// Whether the instance's VM may have its root, as far as that is a volume held here: not while it is handed over, nor before
// the cloud knows that it is not.
bool is_root_held(const control::Assignment& assignment, const control::DiskTasks& tasks);

// The volumes of all these VMs.
Holders holders_of(std::map<model::InstanceId, LocalVm>& vms);

// Those that are not to be made: of instances that end or are not here any more, and the roots of VMs that have their disk
// in their own folder, which is what such a volume holds.
std::set<model::VolumeId> not_to_be_made(const control::DiskTasks& tasks,
                                         const std::vector<control::Assignment>& assignments,
                                         const std::map<model::InstanceId, LocalVm>& vms);

// How the VM's control socket names the volume.
std::string name_in_vm(const LocalVm& vm, model::VolumeId id);

// Lets the VM have the volumes that the instance is to have and that are held here, and no others: plugged in and out while
// it runs. Gives those that it has now, in the order of the instance's wishes and then those that are on their way out.
Result<std::vector<model::VolumeId>> follow_disks(const control::Assignment& assignment,
                                                  const control::DiskTasks& tasks, const DiskPlaces& places,
                                                  const LocalVm& vm);

}  // namespace pileus::host
