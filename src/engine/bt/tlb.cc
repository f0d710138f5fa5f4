#include "engine/bt/tlb.h"

#include <bit>

#include "engine/bt/code_pages.h"
#include "engine/bt/debug.h"
#include "engine/bt/mmu.h"
#include "engine/bt/vm.h"
#include "guest/memory.h"

namespace pileus::engine::bt {

namespace {

constexpr unsigned kGroupSlots = kTlbSize / 64;  // slots for each bit of Context::tlb_clean

void invalidate_slot(Tlb& tlb, u64 slot) { tlb.neg_tag[slot] = ~((slot ^ 1) << 12) + 1; }

// An entry that is looked at for every address needs a page for which it is right: one that is not canonical, and
// leads to memory that cannot be touched (signals.cc).
constexpr u64 kNoStackPage = u64{1} << 63;
void forget_stack(Context& context, Mode mode, unsigned which) {
  context.tlb[mode][which].stack = {~kNoStackPage + 1, context.void_page - kNoStackPage};
}

void clear(Context& context, Mode mode, unsigned which) {
  u64& clean = context.tlb_clean[mode][which];
  Tlb& tlb = context.tlb[mode][which];
  forget_stack(context, mode, which);
  for (u64 used = ~clean; used != 0; used &= used - 1) {
    const u64 first = static_cast<u64>(std::countr_zero(used)) * kGroupSlots;
    for (u64 slot = first; slot < first + kGroupSlots; ++slot) invalidate_slot(tlb, slot);
  }
  clean = ~u64{0};
}

// Drops every entry whose address agrees with `va` from bit `bits` up.
void clear_region(Context& context, Mode mode, unsigned which, u64 va, unsigned bits) {
  Tlb& tlb = context.tlb[mode][which];
  for (u64 used = ~context.tlb_clean[mode][which]; used != 0; used &= used - 1) {
    const u64 first = static_cast<u64>(std::countr_zero(used)) * kGroupSlots;
    for (u64 slot = first; slot < first + kGroupSlots; ++slot) {
      const u64 tag = ~tlb.neg_tag[slot] + 1;
      if (((tag ^ va) >> bits) == 0) invalidate_slot(tlb, slot);
    }
  }
}

// Forgets fetches from, jumps to and returns to what agrees with `va` from bit `bits` up.
void forget_code_in(Context& context, unsigned which, u64 va, unsigned bits) {
  JumpCache& cache = context.jump[which];
  CodeTlb& code = context.code_tlb[which];
  if (bits == 12) {
    if (code.page[code_slot(va)] == (va & ~kPageMask)) code.page[code_slot(va)] = kNoPage;
    if ((cache.pages[page_word(va)] & page_bit(va)) == 0) return;
  } else {
    code.page.fill(kNoPage);
  }
  forget_returns(context.returns, which);
  for (u64 used = cache.used; used != 0; used &= used - 1) {
    const u64 first = static_cast<u64>(std::countr_zero(used)) * kJumpGroup;
    for (u64 slot = first; slot < first + kJumpGroup; ++slot) {
      if (((~cache.not_vpage[slot] ^ va) >> bits) == 0)
        cache.host[slot].store(context.no_jump, std::memory_order_relaxed);
    }
  }
}

void flush_code_mappings(Context& context, Mode mode) {
  flush_jumps(context, mode);
  forget_returns(context.returns, mode == kModeUser ? 1 : 0);
  context.code_tlb[mode == kModeUser ? 1 : 0].page.fill(kNoPage);
}

Context::LargePages& large_pages_of(Context& context, u64 va, Mode mode) {
  return context.large_pages[va >> 63][mode == kModeKernel ? 0 : 1];
}

u64 huge_bit(u64 va) { return u64{1} << (va >> 30 & 63); }
u64 region_bit(u64 va) { return u64{1} << (va >> 21 & 63); }
u64 region_word(u64 va) { return va >> 27 & 15; }

// How many low bits of an address INVLPG of `va` must leave open, because the page may be a large one.
unsigned flush_bits(const Context& context, u64 va) {
  unsigned bits = 12;
  for (const Context::LargePages& large : context.large_pages[va >> 63]) {
    if ((large.huge & huge_bit(va)) != 0) return 30;
    if ((large.region[region_word(va)] & region_bit(va)) != 0) bits = 21;
  }
  return bits;
}

void note_large(Context& context, u64 va, unsigned page_bits, Mode mode) {
  Context::LargePages& large = large_pages_of(context, va, mode);
  if (page_bits == 21) large.region[region_word(va)] |= region_bit(va);
  else large.huge |= huge_bit(va);  // 1 GiB, and the rare 4 MiB pages of 32-bit tables
}

}  // namespace

void note_mapping(Context& context, u64 va, const Walk& walk, Access access, Mode mode) {
  if (walk.page_bits > 12) note_large(context, va, walk.page_bits, mode);
  if (walk.global || mode == kModeUser) return;
  if (access == Access::kExecute) {
    context.kernel_code_non_global = true;
    return;
  }
  Context::NonGlobal& noted = context.kernel_non_global;
  if (mode != kModeKernel || noted.count == Context::NonGlobal::kTooMany) return;
  if (noted.count < noted.slot.size()) {
    noted.slot[noted.count] = static_cast<u16>(tlb_slot(va) + (access == Access::kWrite ? kTlbSize : 0));
  }
  ++noted.count;
}

bool tlb_insert(Context& context, u64 va, const Walk& walk, Access access, Mode mode) {
  const u64 gpa = walk.gpa & ~kPageMask;
  const u8* host = context.vm->memory().host(gpa, 4096);
  if (host == nullptr || (context.debug != nullptr && context.debug->watches_page(va))) return false;
  const unsigned which = access == Access::kWrite ? 1 : 0;
  if (which == 1) {
    // The translator sets the code bits, then asks for the writable mark; in this order neither misses the other.
    CodePages& pages = context.vm->pages();
    if (pages.has_code(gpa)) return false;
    pages.mark_writable(gpa);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (pages.has_code(gpa)) return false;
  }
  note_mapping(context, va, walk, access, mode);
  const u64 slot = tlb_slot(va);
  const u64 page = va & ~kPageMask;
  Tlb& tlb = context.tlb[mode][which];
  tlb.neg_tag[slot] = ~page + 1;
  tlb.addend[slot] = reinterpret_cast<u64>(host) - page;
  tlb.host_page[slot] = reinterpret_cast<u64>(host);
  context.tlb_clean[mode][which] &= ~(u64{1} << (slot / kGroupSlots));
  ++context.stats.tlb_fills;
  return true;
}

bool tlb_use_for_stack(Context& context, u64 va, Access access, Mode mode) {
  Tlb& tlb = context.tlb[mode][access == Access::kWrite ? 1 : 0];
  if (tlb_lookup(tlb, va, 1) == nullptr) return false;
  tlb.stack.neg_tag = tlb.neg_tag[tlb_slot(va)];
  tlb.stack.addend = tlb.addend[tlb_slot(va)];
  return true;
}

bool fill_tlb(Context& context, u64 va, Access access, Mode mode, bool* filled) {
  *filled = false;
  Walk walk;
  if (!walk_pages(context, va, access, mode, &walk)) return false;
  *filled = tlb_insert(context, va, walk, access, mode);
  return true;
}

void flush_tlb_all(Context& context) {
  ++context.tlb_flushes;
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    clear(context, mode, 0);
    clear(context, mode, 1);
  }
  context.large_pages = {};
  context.kernel_non_global.count = 0;
  context.kernel_code_non_global = false;
  flush_code_mappings(context, kModeKernel);
  flush_code_mappings(context, kModeUser);
}

void flush_tlb_non_global(Context& context) {
  ++context.tlb_flushes;
  Context::NonGlobal& noted = context.kernel_non_global;
  if (noted.count == Context::NonGlobal::kTooMany) {
    clear(context, kModeKernel, 0);
    clear(context, kModeKernel, 1);
  } else {
    for (unsigned i = 0; i < noted.count; ++i) {
      invalidate_slot(context.tlb[kModeKernel][noted.slot[i] / kTlbSize], noted.slot[i] % kTlbSize);
    }
  }
  noted.count = 0;
  forget_stack(context, kModeKernel, 0);
  forget_stack(context, kModeKernel, 1);
  for (const Mode mode : {kModeKernelAc, kModeUser}) {
    clear(context, mode, 0);
    clear(context, mode, 1);
  }
  // [1] may also stand for a global large page of kModeKernelAc; its entries are gone now.
  for (auto& half : context.large_pages) half[1] = {};
  flush_code_mappings(context, kModeUser);
  if (context.kernel_code_non_global) {
    flush_code_mappings(context, kModeKernel);
    context.kernel_code_non_global = false;
  }
}

void flush_tlb_page(Context& context, u64 va) {
  ++context.tlb_flushes;
  const unsigned bits = flush_bits(context, va);
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    for (unsigned which = 0; which < 2; ++which) {
      Tlb& tlb = context.tlb[mode][which];
      forget_stack(context, mode, which);
      if (bits > 12) clear_region(context, mode, which, va, bits);
      else if (tlb_lookup(tlb, va, 1) != nullptr) invalidate_slot(tlb, tlb_slot(va));
    }
  }
  for (unsigned which = 0; which < 2; ++which) forget_code_in(context, which, va, bits);
}

void flush_tlb_writes_to(Context& context, const u8* host_page) {
  ++context.tlb_flushes;
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    Tlb& tlb = context.tlb[mode][1];
    forget_stack(context, mode, 1);
    for (u64 slot = 0; slot < kTlbSize; ++slot) {
      if (tlb.host_page[slot] == reinterpret_cast<u64>(host_page)) invalidate_slot(tlb, slot);
    }
  }
}

void flush_jumps(Context& context, Mode mode) {
  JumpCache& cache = context.jump[mode == kModeUser ? 1 : 0];
  for (u64 used = cache.used; used != 0; used &= used - 1) {
    const u64 first = static_cast<u64>(std::countr_zero(used)) * kJumpGroup;
    for (u64 slot = first; slot < first + kJumpGroup; ++slot)
      cache.host[slot].store(context.no_jump, std::memory_order_relaxed);
  }
  cache.used = 0;
  cache.pages.fill(0);
}

void remember_jump(Context& context, u64 host, Mode mode) {
  note_code_page(context, mode);
  if (mode == kModeKernelAc) return;
  JumpCache& cache = context.jump[mode == kModeUser ? 1 : 0];
  const u64 slot = jump_slot(context.rip);
  if (slot == 0) return;
  cache.not_vpage[slot] = ~context.vpage;
  cache.used |= u64{1} << (slot / kJumpGroup);
  cache.host[slot].store(host, std::memory_order_seq_cst);
}

bool translate_code(Context& context, u64 va, u64* gpa) {
  CodeTlb& tlb = context.code_tlb[context.cpl == 3 ? 1 : 0];
  const u64 slot = code_slot(va);
  if (tlb.page[slot] != (va & ~kPageMask)) {
    Walk walk;
    const Mode mode = context.mode();
    if (!walk_pages(context, va, Access::kExecute, mode, &walk)) return false;
    note_mapping(context, va, walk, Access::kExecute, mode);
    tlb.page[slot] = va & ~kPageMask;
    tlb.gpa[slot] = walk.gpa & ~kPageMask;
  }
  *gpa = tlb.gpa[slot] | (va & kPageMask);
  return true;
}

}  // namespace pileus::engine::bt
