// DiskFile: the few file operations that disks are made of, so that tests can cut the power
// between any two of them.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::virtio {

class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Bytes, as of opening.
  virtual u64 size() const = 0;
  // As BlockBackend's.
  virtual u64 next_data(u64 offset) { return offset; }
  // All of `out`, or an error; reading past the end is an error.
  virtual Result<> read(u64 offset, std::span<u8> out) = 0;
  virtual Result<> write(u64 offset, std::span<const u8> data) = 0;
  // The range reads as zero afterwards, and takes no space if the file system can do that.
  virtual Result<> zero(u64 offset, u64 length) = 0;
  // Gives the space of the range back if that is possible; the bytes become zero or stay.
  virtual Result<> discard(u64 offset, u64 length) = 0;
  // kExhausted when so many bytes more would take of what the file system keeps for its host (os/disk_room.h).
  virtual Result<> check_room(u64 /*bytes*/) { return {}; }
  // Everything done before is durable.
  virtual Result<> sync() = 0;
  // From a writer's lock to a reader's: others may now read it, too.
  virtual Result<> share() { return {}; }
};

enum class Access { kReadOnly, kReadWrite };

// Opens a regular file or block device and locks it: any number of readers or one writer, in all
// processes. kBusy when it is in use.
Result<std::unique_ptr<DiskFile>> open_disk_file(const std::string& path, Access access);

}  // namespace pileus::virtio
