#include "os/disk_room.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "os/file.h"

namespace pileus::os {

Result<DiskRoom> disk_room(int fd) {
  struct statvfs status{};
  while (::fstatvfs(fd, &status) != 0) {
    if (errno != EINTR) return Error::from_errno("the room on a file system");
  }
  return DiskRoom{u64{status.f_blocks} * status.f_frsize, u64{status.f_bavail} * status.f_frsize};
}

Result<DiskRoom> disk_room(const std::filesystem::path& path) {
  const Fd fd = TRY(open_file(path, O_RDONLY));
  return disk_room(fd.get()).with(path.string());
}

u64 kept_room(const DiskRoom& room) {
  constexpr u64 kShare = 20;
  constexpr u64 kMost = 512 * kMiB;
  return std::min(room.total / kShare, kMost);
}

}  // namespace pileus::os
