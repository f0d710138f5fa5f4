// The memory map of the board, as a BIOS would give it (ACPI 6.5, 15 "System Address Map Interfaces").
#pragma once

#include <vector>

#include "guest/memory.h"

namespace pileus::machine {

// The numbers are those of ACPI's address range types.
enum class MemoryKind : u32 { kRam = 1, kReserved = 2 };

struct MemoryRange {
  guest::Gpa start = 0;
  guest::Gpa end = 0;  // behind the last byte
  MemoryKind kind = MemoryKind::kRam;
};

// Ascending; no range is empty.
std::vector<MemoryRange> memory_map(const guest::GuestMemory& memory);

}  // namespace pileus::machine
