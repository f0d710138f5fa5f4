// Writing a disk as a file of a foreign format.
#pragma once

#include <filesystem>
#include <functional>

#include "foreign/disk_reader.h"

namespace pileus::foreign {

// Told the part that is done, from 0 to 1; false: give up, kGone.
using Progress = std::function<bool(double part)>;

// Formats that are written: raw (with holes), VMDK (stream-optimized), VHD (dynamic).
bool can_write(Format format);

// Makes the file, durable and whole; `path` must not exist. When it fails it leaves nothing.
Result<> write_disk(DiskReader& disk, Format format, const std::filesystem::path& path, const Progress& progress);

}  // namespace pileus::foreign
