// VHD (Microsoft's "Virtual Hard Disk Image Format Specification"). All numbers big-endian:
//
//   footer  := "conectix" features:u32 version:u32 dynamic_header:u64 time:u32 application:u32 its_version:u32 system:u32
//              first_size:u64 size:u64 cylinders:u16 heads:u8 sectors:u8 type:u32 checksum:u32 uuid:u8[16] zeroes   512 bytes
//   dynamic := "cxsparse" next:u64 table:u64 version:u32 entries:u32 block_size:u32 checksum:u32 zeroes            1024 bytes
//   table   := place:u32 ...      of each block, in sectors; all ones: none
//   block   := bitmap data        a bit for each sector, the first one's the highest of the first byte; whole sectors
//
// A fixed disk is its bytes and a footer. A dynamic one is a copy of the footer, the header, the table, blocks, a footer.
#pragma once

#include "base/ints.h"
#include "foreign/internal/bytes.h"

namespace pileus::foreign::vhd {

inline constexpr std::size_t kFooter = 512, kDynamicHeader = 1024;
inline constexpr u32 kNone = 0xFFFF'FFFF;
inline constexpr u32 kBlock = 2 * kMiB;
inline constexpr u64 kNoHeader = ~u64{0};

// Offsets in the footer and in the dynamic header.
inline constexpr std::size_t kFeaturesAt = 8, kVersionAt = 12, kHeaderAt = 16, kTimeAt = 24, kApplicationAt = 28,
                             kSystemAt = 36, kFirstSizeAt = 40, kSizeAt = 48, kGeometryAt = 56, kTypeAt = 60,
                             kChecksumAt = 64, kUuidAt = 68;
inline constexpr std::size_t kNextAt = 8, kTableAt = 16, kHeaderVersionAt = 24, kEntriesAt = 28, kBlockSizeAt = 32,
                             kHeaderChecksumAt = 36;

enum class Type : u32 { kFixed = 2, kDynamic = 3, kDifferencing = 4 };

// The ones' complement of the sum of all bytes but the checksum's own.
inline u32 checksum(std::span<const u8> bytes, std::size_t checksum_at) {
  u32 sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < checksum_at || i >= checksum_at + sizeof(u32)) sum += bytes[i];
  }
  return ~sum;
}

}  // namespace pileus::foreign::vhd
