// The ACPI tables of the board: RSDP -> XSDT -> FADT (-> DSDT, FACS), MADT, MCFG. Hardware-reduced,
// that is without PM timer and SCI, unless there are legacy devices.
#pragma once

#include <span>
#include <vector>

#include "base/ints.h"

namespace pileus::machine {

// The compiled dsdt.asl; lives as long as the program.
std::span<const u8> dsdt();

struct AcpiBoard {
  u32 cpu_count = 1;  // at most kMaxCpus; APIC ids are 0 to cpu_count - 1
  bool legacy_devices = false;
};

// All tables as one block of bytes that is to be put at physical `base` (64-byte aligned, below 4 GiB), the RSDP first.
std::vector<u8> build_acpi_tables(u64 base, const AcpiBoard& board);

}  // namespace pileus::machine
