// The formats in which others keep disks.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::foreign {

enum class Format : u8 { kRaw, kQcow2, kVmdk, kVhd };

// "raw", "qcow2", "vmdk", "vhd"; "vpc", which is what QEMU calls the last. In any case of letters.
std::optional<Format> parse_format(std::string_view text);
// As people write it: "VMDK".
std::string_view format_name(Format format);

// What a file looks like by its first and its last 512 bytes, or as many as it has; what looks like nothing else is raw.
// kUnsupported: it looks like one that is not taken.
Result<Format> recognize(std::span<const u8> head, std::span<const u8> tail);

struct DiskFile {
  Format format = Format::kRaw;
  u64 bytes = 0;  // of the file
};
// The same of a regular file or a block device. kInvalid: it is neither, it has not the `wanted` format, or it is raw and no
// disk.
Result<DiskFile> recognize_file(const std::filesystem::path& path, std::optional<Format> wanted);

inline constexpr u64 kMaxDisk = u64{16} << 40;
// Whole sectors, at least one, and not too many.
Result<> check_disk_size(u64 bytes);

}  // namespace pileus::foreign
