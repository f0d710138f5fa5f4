// The SMBIOS tables of the board (DMTF DSP0134, version 3.0): what the guest's `dmidecode` and /sys/class/dmi/id show.
// Structures of types 0 to 4, 11, 16, 17, 19, 32 and 127, and the 64-bit entry point that leads to them.
#pragma once

#include <vector>

#include "base/ints.h"
#include "machine/smbios/identity.h"

namespace pileus::machine {

struct RamRange {
  u64 start, end;
};

struct SmbiosBoard {
  SystemIdentity identity;
  u32 cpu_count = 1;
  std::vector<RamRange> ram;
};

struct SmbiosTables {
  std::vector<u8> entry_point;  // to lie at a multiple of 16 between 0xF0000 and 0xFFFFF
  std::vector<u8> structures;   // to lie at the address that was given
};
SmbiosTables build_smbios(u64 structures_address, const SmbiosBoard& board);

}  // namespace pileus::machine
