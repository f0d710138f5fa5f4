// Putting what a kernel file holds into guest RAM.
#pragma once

#include "base/result.h"
#include "guest/memory.h"
#include "machine/loader/elf.h"

namespace pileus::machine {

// Copies the segments to RAM, none larger than `limit`; returns the end of the highest.
Result<u64> load_segments(guest::GuestMemory& memory, Bytes file, const ElfImage& image, u64 limit);

}  // namespace pileus::machine
