// What this machine has to give.
#pragma once

#include <filesystem>

#include "image/library.h"
#include "model/host.h"

namespace pileus::host {

// Processors, memory, disk (of the file system that `folder` is on), engines, CPU models. `images` are left empty: images
// are known by their names so far.
Result<model::HostObserved> measure(const std::filesystem::path& folder);

}  // namespace pileus::host
