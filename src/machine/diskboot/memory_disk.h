// MemoryDisk: a disk that is bytes in memory, for tests and fuzzing.
#pragma once

#include <algorithm>

#include "machine/diskboot/disk_reader.h"

namespace pileus::machine {

class MemoryDisk : public DiskReader {
 public:
  // The bytes must outlive the disk.
  explicit MemoryDisk(std::span<const u8> bytes) : bytes_(bytes) {}
  Result<> read(u64 offset, std::span<u8> out) override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
      return Error(ErrorCode::kInvalid, "read beyond the end of the disk");
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  u64 size() const override { return bytes_.size(); }

 private:
  std::span<const u8> bytes_;
};

}  // namespace pileus::machine
