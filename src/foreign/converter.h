// Disks of foreign formats become raw ones, and the other way round: by qemu-img, in a sandbox (foreign/sandbox.h).
//
// Calls block. The file that is made is durable and whole; it must not exist, and a call that fails leaves nothing.
#pragma once

#include <filesystem>
#include <functional>

#include "foreign/format.h"

namespace pileus::foreign {

// Told the part that is done, from 0 to 1, several times a second; false: give up, kGone.
using Progress = std::function<bool(double part)>;

// A qcow2, VMDK or VHD file that holds all of its disk; one that names other files is refused.
Result<> convert_to_raw(const std::filesystem::path& from, Format format, const std::filesystem::path& to,
                        const Progress& progress);

// As VMDK (stream-optimized) or VHD (dynamic).
Result<> convert_from_raw(const std::filesystem::path& from, Format format, const std::filesystem::path& to,
                          const Progress& progress);

}  // namespace pileus::foreign
