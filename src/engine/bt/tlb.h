// The vCPU's data TLBs: lookup and fill from C++. The invariants are in context.h.
#pragma once

#include "engine/bt/context.h"
#include "engine/bt/page_walk.h"

namespace pileus::engine::bt {

inline constexpr u64 kPageMask = 4095;

inline u64 tlb_slot(u64 va) { return (va >> 12) & (kTlbSize - 1); }

// The host address of [va, va + size) if the TLB has it and it lies in one page; size is 1 to 4096.
inline u8* tlb_lookup(const Tlb& tlb, u64 va, unsigned size) {
  const u64 slot = tlb_slot(va);
  return va + tlb.neg_tag[slot] <= 4096 - size ? reinterpret_cast<u8*>(va + tlb.addend[slot]) : nullptr;
}

// Remembers what flushes have to know about a translation that is going to be cached for `mode`.
void note_mapping(Context& context, u64 va, const Walk& walk, Access access, Mode mode);

// Enters the walked page; false, and nothing is entered, when it is not RAM or may not be written unseen.
bool tlb_insert(Context& context, u64 va, const Walk& walk, Access access, Mode mode);

}  // namespace pileus::engine::bt
