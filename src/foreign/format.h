// The formats in which others keep disks.
#pragma once

#include <optional>
#include <string_view>

#include "base/ints.h"

namespace pileus::foreign {

enum class Format : u8 { kRaw, kQcow2, kVmdk, kVhd };

// "raw", "qcow2", "vmdk", "vhd"; "vpc", which is what QEMU calls the last. In any case of letters.
std::optional<Format> parse_format(std::string_view text);
std::string_view format_name(Format format);

}  // namespace pileus::foreign
