// What `qemu-img info` says of a disk. It has read a stranger's file, so it is believed no more than that.
#pragma once

#include <string_view>

#include "foreign/format.h"

namespace pileus::foreign {

// The size of the disk: whole sectors, at least one, at most kMaxDisk. kUnsupported where the disk names other files than
// `own_name` or is encrypted; kInvalid, kCorrupt.
Result<u64> size_in_report(std::string_view json, Format format, std::string_view own_name);

}  // namespace pileus::foreign
