// Room on a file system, and how much of it is not for the disks of VMs.
#pragma once

#include <filesystem>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::os {

// Bytes, as somebody without rights of his own may use them.
struct DiskRoom {
  u64 total = 0;  // 0: the file system does not say
  u64 free = 0;
};
// Of the file system that has the file.
Result<DiskRoom> disk_room(int fd);
Result<DiskRoom> disk_room(const std::filesystem::path& path);

// What disks of VMs leave free: records and logs, and whoever is to make room, need some. 5 %, 512 MiB at most.
u64 kept_room(const DiskRoom& room);

}  // namespace pileus::os
