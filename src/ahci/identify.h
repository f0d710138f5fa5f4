// What drives say of themselves: the 512 bytes of IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA8-ACS, 7.16 and 7.17).
#pragma once

#include <array>
#include <string_view>

#include "base/ints.h"

namespace pileus::ahci {

inline constexpr std::size_t kSectorBytes = 512;
using Sector = std::array<u8, kSectorBytes>;

inline constexpr u32 kTrimBlocks = 8;  // of 512 bytes with ranges, in one command
inline constexpr u16 kMaxMultiple = 16;  // sectors that READ MULTIPLE moves as one block

struct DiskTraits {
  std::string_view serial;  // at most 20 characters of it are told
  u64 sectors = 0;
  bool can_trim = false;
  bool write_cache = true;
  u16 multiple = kMaxMultiple;
};
Sector identify_disk(const DiskTraits& disk);
Sector identify_cd_drive();

}  // namespace pileus::ahci
