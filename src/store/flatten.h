// Merging the layers of a disk that has many.
#pragma once

#include "store/disk_folder.h"

namespace pileus::store {

// With more layers than these a disk is merged before it is opened for long.
inline constexpr std::size_t kManyLayers = 8;

// Makes one overlay of those up to the newest mark, which stays; older marks are forgotten. The content stays, and a base
// that is raw stays a layer of its own. Takes as long as copying what the layers hold. kBusy when the disk is in use.
Result<> flatten(const DiskFolder& folder);
// The same where there are many layers.
Result<> flatten_if_many(const DiskFolder& folder);

}  // namespace pileus::store
