// The ACPI tables of the board: RSDP -> XSDT -> FADT (-> DSDT), MADT, MCFG. Hardware-reduced: no PM
// timer, no SCI.
#pragma once

#include <span>
#include <vector>

#include "base/ints.h"

namespace pileus::machine {

// The compiled dsdt.asl; lives as long as the program.
std::span<const u8> dsdt();

// All tables as one block of bytes that is to be put at physical `base` (16-byte aligned), the RSDP
// first. `cpu_count` is at most kMaxCpus; APIC ids are 0 to cpu_count - 1.
std::vector<u8> build_acpi_tables(u64 base, u32 cpu_count);

}  // namespace pileus::machine
