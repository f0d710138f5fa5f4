// The volumes of an instance's VM.
#pragma once

#include <set>
#include <vector>

#include "control/host_protocol.h"
#include "host/disk_places.h"

namespace pileus::host {

// The volume that an instance boots from, if it is one of those held here; else its disk is in its VM's folder.
std::optional<model::VolumeId> root_volume(const control::Assignment& assignment, const control::DiskTasks& tasks);

// The volumes of all these VMs.
Holders holders_of(std::map<model::InstanceId, LocalVm>& vms);

// Those of instances that end, or that are not here any more: what is gone of them is not made again.
std::set<model::VolumeId> ended_volumes(const control::DiskTasks& tasks,
                                        const std::vector<control::Assignment>& assignments);

// How the VM's control socket names the volume.
std::string name_in_vm(const LocalVm& vm, model::VolumeId id);

// Lets the VM have the volumes that the instance is to have and that are held here, and no others: plugged in and out while
// it runs. Gives those that it has now, in the order of the instance's wishes and then those that are on their way out.
Result<std::vector<model::VolumeId>> follow_disks(const control::Assignment& assignment,
                                                  const control::DiskTasks& tasks, const DiskPlaces& places,
                                                  const LocalVm& vm);

}  // namespace pileus::host
