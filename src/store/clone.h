// Clones: disks that begin as another one was at some moment, and share its layers.
#pragma once

#include <filesystem>

#include "store/disk_folder.h"

namespace pileus::store {

// Makes the folder `to`, complete or not at all: a disk of `bytes` that begins as the first `count` layers of `from`. The
// layers' files are the same ones, by hard links where the file system allows: each disk may go without the other.
// kExists when there is something of that name.
Result<> clone(const DiskFolder& from, std::size_t count, const std::filesystem::path& to, u64 bytes);

// The same with layers by their absolute paths; without any, the disk is empty.
Result<> make_disk(std::vector<Layer> layers, const std::filesystem::path& to, u64 bytes);

}  // namespace pileus::store
