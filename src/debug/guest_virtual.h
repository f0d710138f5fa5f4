// Guest memory by linear address, for whoever looks at a guest from outside: the guest's own page tables are walked, but
// nothing is checked but presence, and nothing in them is changed. While the vCPU stands still.
#pragma once

#include <optional>
#include <span>

#include "base/ints.h"
#include "engine/cpu_state.h"
#include "guest/memory.h"

namespace pileus::debug {

// What of a vCPU's state says how addresses are translated.
struct AddressSpace {
  u64 cr0 = 0, cr3 = 0, cr4 = 0, efer = 0;
  static AddressSpace of(const engine::CpuState& state) { return {state.cr0, state.cr3, state.cr4, state.efer}; }
};

// No paging, 32-bit, PAE, 4 and 5 levels (Intel SDM vol. 3, chapter 4). Nothing when the address is not mapped.
std::optional<guest::Gpa> translate(const guest::GuestMemory& memory, const AddressSpace& space, u64 va);

// How many bytes from `va` on could be read: less than asked for where a page is not mapped, or is not RAM.
std::size_t read_virtual(const guest::GuestMemory& memory, const AddressSpace& space, u64 va, std::span<u8> out);
// All or nothing. Writes to pages that the guest may not write to, too.
[[nodiscard]] bool write_virtual(guest::GuestMemory& memory, const AddressSpace& space, u64 va,
                                 std::span<const u8> data);

}  // namespace pileus::debug
