// The architectural states in which this board starts its CPUs.
#pragma once

#include "engine/cpu_state.h"
#include "guest/memory.h"

namespace pileus::machine {

// A CPU after power-on, waiting for INIT-SIPI (Intel SDM vol. 3, table 10-1), with the MTRR default
// type set to write-back, as firmware would.
engine::CpuState reset_state(u32 apic_id);

// Adds the KVM paravirtual MSRs, switched off, to the state: after a reset the hypervisor must not go on writing to
// where the guest's former kernel had its clock. Only for an engine that offers them.
void reset_paravirt(engine::CpuState& state);

// Virtual wire mode (Intel MultiProcessor Specification 3.6.2.2), in which firmware leaves CPU 0: legacy interrupts pass
// through its local APIC.
void wire_lapic_through(engine::LapicState& lapic);

// Writes boot page tables (the first 4 GiB mapped onto themselves, 2 MiB pages) and a GDT to RAM
// and returns the state of CPU 0 entering 64-bit code at `entry` with rsi = `zero_page`, interrupts
// off.
engine::CpuState enter_long_mode(guest::GuestMemory& memory, u64 entry, u64 zero_page);

// Writes a GDT to RAM and returns the state of CPU 0 entering 32-bit code at physical `entry` with flat segments,
// paging and interrupts off.
engine::CpuState enter_protected_mode(guest::GuestMemory& memory, u32 entry);

}  // namespace pileus::machine
