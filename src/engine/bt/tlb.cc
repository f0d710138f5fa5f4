#include "engine/bt/tlb.h"

#include <bit>
#include <utility>

#include "engine/bt/code_pages.h"
#include "engine/bt/debug.h"
#include "engine/bt/mmu.h"
#include "engine/bt/vm.h"
#include "guest/memory.h"

namespace pileus::engine::bt {

namespace {

constexpr unsigned kGroupSlots = kTlbSize / 64;  // slots for each bit of Context::tlb_clean

// Not the next page: what starts on the slot's page may end there.
void invalidate_slot(Tlb& tlb, u64 slot) { tlb.neg_tag[slot] = ~((slot ^ 2) << 12) + 1; }

// An entry that is looked at for every address needs a page for which it is right: one that is not canonical, and
// leads to memory that cannot be touched (signals.cc).
constexpr u64 kNoStackPage = u64{1} << 63;
void forget_stack(Context& context, Mode mode, unsigned which) {
  context.tlb[mode][which].stack = {~kNoStackPage + 1, context.void_page - kNoStackPage};
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
    // What else leads there than jumps of this space.
    const bool others = which == 0 ? context.vm->far_links().has_led_to(va) : context.spaces.global_user_code;
    if (!others && (cache.pages[page_word(va)] & page_bit(va)) == 0) return;
  } else {
    code.page.fill(kNoPage);
  }
  forget_returns(context.returns, which);
  for (u64 used = cache.used; used != 0; used &= used - 1) {
    const u64 first = static_cast<u64>(std::countr_zero(used)) * kJumpGroup;
    for (u64 slot = first; slot < first + kJumpGroup; ++slot) {
      if (((~cache.key[slot] ^ va) >> bits) == 0) cache.host[slot].store(context.no_jump, std::memory_order_relaxed);
    }
  }
}

u64 huge_bit(u64 va) { return u64{1} << (va >> 30 & 63); }
u64 region_bit(u64 va) { return u64{1} << (va >> 21 & 63); }
u64 region_word(u64 va) { return va >> 27 & 15; }

void note_large(LargePages& large, u64 va, unsigned page_bits) {
  if (page_bits == 21) large.region[region_word(va)] |= region_bit(va);
  else large.huge |= huge_bit(va);  // 1 GiB, and the rare 4 MiB pages of 32-bit tables
}

}  // namespace

unsigned flush_bits(const Context& context, u64 va) {
  unsigned bits = 12;
  for (const LargePages& large : context.large_pages[va >> 63]) {
    if ((large.huge & huge_bit(va)) != 0) return 30;
    if ((large.region[region_word(va)] & region_bit(va)) != 0) bits = 21;
  }
  return bits;
}

void clear_tlb(Context& context, Mode mode) {
  for (unsigned which = 0; which < 2; ++which) {
    u64& clean = context.tlb_clean[mode][which];
    Tlb& tlb = context.tlb[mode][which];
    forget_stack(context, mode, which);
    for (u64 used = ~clean; used != 0; used &= used - 1) {
      const u64 first = static_cast<u64>(std::countr_zero(used)) * kGroupSlots;
      for (u64 slot = first; slot < first + kGroupSlots; ++slot) invalidate_slot(tlb, slot);
      tlb.non_global[first / 64] = tlb.global[first / 64] = 0;
    }
    clean = ~u64{0};
  }
}

void clear_non_global(Context& context, Mode mode) {
  static_assert(kGroupSlots == 64);
  for (unsigned which = 0; which < 2; ++which) {
    u64& clean = context.tlb_clean[mode][which];
    Tlb& tlb = context.tlb[mode][which];
    forget_stack(context, mode, which);
    for (u64 used = ~clean; used != 0; used &= used - 1) {
      const auto group = static_cast<u64>(std::countr_zero(used));
      for (u64 bits = std::exchange(tlb.non_global[group], 0); bits != 0; bits &= bits - 1)
        invalidate_slot(tlb, group * 64 + static_cast<u64>(std::countr_zero(bits)));
      if (tlb.global[group] == 0) clean |= u64{1} << group;
    }
  }
}

void drop_entry(Tlb& tlb, u64 page) {
  if (tlb_lookup(tlb, page, 1) != nullptr) invalidate_slot(tlb, tlb_slot(page));
}

void forget_stack_entries(Context& context) {
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    forget_stack(context, mode, 0);
    forget_stack(context, mode, 1);
  }
}

void enter_data(Context& context, Mode mode, unsigned which, u64 page, u64 host_page, bool global) {
  const u64 slot = tlb_slot(page);
  Tlb& tlb = context.tlb[mode][which];
  tlb.neg_tag[slot] = ~page + 1;
  tlb.addend[slot] = host_page - page;
  tlb.host_page[slot] = host_page;
  const u64 bit = u64{1} << (slot % 64);
  (global ? tlb.global : tlb.non_global)[slot / 64] |= bit;
  (global ? tlb.non_global : tlb.global)[slot / 64] &= ~bit;
  context.tlb_clean[mode][which] &= ~(u64{1} << (slot / kGroupSlots));
}

void forget_code(Context& context, Mode mode) {
  if (mode == kModeUser) renew_jump_tag(context);
  else flush_jumps(context, mode);
  forget_returns(context.returns, mode == kModeUser ? 1 : 0);
  context.code_tlb[mode == kModeUser ? 1 : 0].page.fill(kNoPage);
}

void note_mapping(Context& context, u64 va, const Walk& walk, Access access, Mode mode) {
  const bool stays = walk.global || mode == kModeKernel;
  if (walk.page_bits > 12) note_large(context.large_pages[va >> 63][stays ? 0 : 1], va, walk.page_bits);
  if (access != Access::kExecute) return;
  if (mode == kModeUser) context.spaces.global_user_code |= walk.global;
  else context.kernel_code_non_global |= !walk.global;
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
  const u64 page = va & ~kPageMask, host_page = reinterpret_cast<u64>(host);
  enter_data(context, mode, which, page, host_page, walk.global);
  if (!walk.global) log_data(context, page, host_page, mode, static_cast<u8>(which));
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
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) clear_tlb(context, mode);
  context.large_pages = {};
  clear_log(context);
  forget_other_spaces(context);
  context.kernel_code_non_global = false;
  forget_code(context, kModeKernel);
  forget_code(context, kModeUser);
  context.vm->far_links().check_all(context);
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
  for (unsigned side = 0; side < 2; ++side) forget_code_in(context, side, va, bits);
  unlog_region(context, va, bits);
  context.vm->far_links().check(context, va, bits);
}

void flush_tlb_writes_to(Context& context, const u8* host_page) {
  ++context.tlb_flushes;
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    Tlb& tlb = context.tlb[mode][1];
    forget_stack(context, mode, 1);
    for (u64 used = ~context.tlb_clean[mode][1]; used != 0; used &= used - 1) {
      const u64 first = static_cast<u64>(std::countr_zero(used)) * kGroupSlots;
      for (u64 slot = first; slot < first + kGroupSlots; ++slot) {
        if (tlb.host_page[slot] == reinterpret_cast<u64>(host_page)) invalidate_slot(tlb, slot);
      }
    }
  }
  unlog_writes_to(context, reinterpret_cast<u64>(host_page));
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
  cache.key[slot] = ~(context.vpage | (mode == kModeUser ? context.jump_tag : 0));
  cache.used |= u64{1} << (slot / kJumpGroup);
  cache.host[slot].store(host, std::memory_order_seq_cst);
}

void forget_jump(Context& context, Mode mode) {
  context.jump[mode == kModeUser ? 1 : 0].host[jump_slot(context.rip)].store(context.no_jump,
                                                                             std::memory_order_relaxed);
}

bool translate_code(Context& context, u64 va, u64* gpa) {
  CodeTlb& tlb = context.code_tlb[context.cpl == 3 ? 1 : 0];
  const u64 slot = code_slot(va);
  if (tlb.page[slot] != (va & ~kPageMask)) {
    Walk walk;
    const Mode mode = context.mode();
    if (!walk_pages(context, va, Access::kExecute, mode, &walk)) return false;
    note_mapping(context, va, walk, Access::kExecute, mode);
    enter_code(tlb, va & ~kPageMask, walk.gpa & ~kPageMask);
    if (mode == kModeUser && !walk.global) log_code(context, va & ~kPageMask, walk.gpa & ~kPageMask);
  }
  *gpa = tlb.gpa[slot] | (va & kPageMask);
  return true;
}

}  // namespace pileus::engine::bt
