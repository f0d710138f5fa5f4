// What this machine has to give.
#pragma once

#include <filesystem>

#include "image/library.h"
#include "model/host.h"

namespace pileus::host {

// Processors, memory, disk (of the file system that `folder` is on), engines, CPU models. `images` are left empty: images
// are known by their names so far.
Result<model::HostObserved> measure(const std::filesystem::path& folder);

// Whether the file system of `folder` has hardly any room left: a little more than what disks leave free anyhow, so that no new
// instance comes just to wait. It has to get more than that to be no longer full, so that nothing flutters.
bool is_disk_full(const std::filesystem::path& folder, bool was_full);

// kExhausted when it would be full in that sense with so many bytes more. What comes to the host besides the disks of running
// VMs (imports, exports, layers) asks this, and again while it grows: those VMs need the room that is left.
Result<> check_room(const std::filesystem::path& folder, u64 bytes);

}  // namespace pileus::host
