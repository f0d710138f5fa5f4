// The vCPU's data TLBs: lookup and fill from C++. The invariants are in context.h.
#pragma once

#include "engine/bt/context.h"
#include "engine/bt/page_walk.h"

namespace pileus::engine::bt {

inline constexpr u64 kPageMask = 4095;

// Places in the JumpCache and the CodeTlb.
inline u64 jump_slot(u64 rip) { return (rip + (rip >> 10 | rip << 54)) & kJumpMask; }
inline u64 code_slot(u64 va) { return (va >> 12) & (kCodeTlbSize - 1); }
inline u64 page_word(u64 va) { return (va >> 18 & 63) | (va >> 63 << 6); }
inline u64 page_bit(u64 va) { return u64{1} << (va >> 12 & 63); }

inline u64 tlb_slot(u64 va) { return (va >> 12) & (kTlbSize - 1); }

// The host address of [va, va + size) if the TLB has it and it lies in one page; size is 1 to 4096.
inline u8* tlb_lookup(const Tlb& tlb, u64 va, unsigned size) {
  const u64 slot = tlb_slot(va);
  return va + tlb.neg_tag[slot] <= 4096 - size ? reinterpret_cast<u8*>(va + tlb.addend[slot]) : nullptr;
}

// How many low bits of an address a flush of `va` must leave open, because the page may be a large one.
unsigned flush_bits(const Context& context, u64 va);

// Remembers what flushes have to know about a translation that is going to be cached for `mode`.
void note_mapping(Context& context, u64 va, const Walk& walk, Access access, Mode mode);

// Where instruction fetch at `va` with the present privilege goes, from the code TLB or by a walk. False: #PF in
// context.fault. *gpa need not be RAM.
bool translate_code(Context& context, u64 va, u64* gpa);
// Notes that code of the page at context.rip runs: from then on INVLPG looks whether anything relies on its mapping.
inline void note_code_page(Context& context, Mode mode) {
  context.jump[mode == kModeUser ? 1 : 0].pages[page_word(context.rip)] |= page_bit(context.rip);
}
// Enters the way from context.rip to a block's arrival, made for `mode`, into the jump cache. The caller then makes sure that the
// code is still valid, or calls forget_jump().
void remember_jump(Context& context, u64 host, Mode mode);
void forget_jump(Context& context, Mode mode);

// Makes the entry for `va` the one that stack accesses look at, if there is one.
bool tlb_use_for_stack(Context& context, u64 va, Access access, Mode mode);

// Entries as they are, for who knows that they are right.
void enter_data(Context& context, Mode mode, unsigned which, u64 page, u64 host_page, bool global);
inline void enter_code(CodeTlb& tlb, u64 page, u64 gpa) {
  tlb.page[code_slot(page)] = page;
  tlb.gpa[code_slot(page)] = gpa;
}
void drop_entry(Tlb& tlb, u64 page);
void clear_tlb(Context& context, Mode mode);
void clear_non_global(Context& context, Mode mode);
void forget_stack_entries(Context& context);
// Jumps, returns and fetches.
void forget_code(Context& context, Mode mode);

// Enters the walked page; false, and nothing is entered, when it is not RAM or may not be written unseen.
bool tlb_insert(Context& context, u64 va, const Walk& walk, Access access, Mode mode);

}  // namespace pileus::engine::bt
