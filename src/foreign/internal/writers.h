// The writers, one for each format. They fill an empty file.
#pragma once

#include "foreign/disk_writer.h"

namespace pileus::foreign {

Result<> write_raw(DiskReader& disk, int fd, const Progress& progress);
Result<> write_vmdk(DiskReader& disk, int fd, const std::string& name, const Progress& progress);
Result<> write_vhd(DiskReader& disk, int fd, const Progress& progress);

// All of `bytes` at that place.
Result<> write_at(int fd, u64 offset, std::span<const u8> bytes);

}  // namespace pileus::foreign
