// The ways back: far RET and IRET (SDM vol. 2).
#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/stack.h"
#include "engine/bt/system.h"
#include "engine/bt/task_state.h"
#include "engine/bt/tlb.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kTf = 1U << 8, kDf = 1U << 10, kIf = 1U << 9, kIoplMask = 3U << 12, kNt = 1U << 14, kRf = 1U << 16,
              kVm = 1U << 17, kAc = 1U << 18, kVifVip = 3U << 19, kId = 1U << 21;

// The words on the stack of a 64-bit kernel, if they lie in one page that the TLB has.
bool read_there(const Context& context, unsigned bytes, unsigned count, u64* out) {
  if (!context.code64() || context.cpl != 0 || bytes != 8 || has_breakpoints(context)) return false;
  const u8* host = tlb_lookup(context.tlb[context.mode()][0], context.gpr[kRsp], bytes * count);
  if (host == nullptr) return false;
  for (unsigned i = 0; i < count; ++i) __builtin_memcpy(&out[i], host + u64{8} * i, 8);
  return true;
}

// Words from the stack pointer + `offset` up.
bool read_words(Context& context, u64 offset, unsigned bytes, unsigned count, u64* out) {
  const Mode mode = context.mode();
  if (context.code64()) {
    u8 raw[40];
    if (!read_memory(context, context.gpr[kRsp] + offset, raw, bytes * count, mode)) return false;
    for (unsigned i = 0; i < count; ++i) {
      out[i] = 0;
      __builtin_memcpy(&out[i], raw + i * bytes, bytes);
    }
    return true;
  }
  const Segment& stack = context.segment[kSs];
  for (unsigned i = 0; i < count; ++i) {
    const u64 at = (context.gpr[kRsp] + offset + u64{i} * bytes) & stack_mask(context);
    out[i] = 0;
    if (!is_within(stack, at, bytes)) return context.raise(kVectorSs, 0);
    if (!read_memory(context, (stack.base + at) & 0xFFFFFFFF, &out[i], bytes, mode)) return false;
  }
  return true;
}

// Flags that IRET may change.
void return_flags(Context& context, u64 value, unsigned bits) {
  u64 changeable = 0x8D5 | kTf | kDf | kNt | kAc | kId | kRf;
  if (is_real_mode(context) || context.cpl <= (context.rflags >> 12 & 3)) changeable |= kIf;
  if (context.cpl == 0) changeable |= kIoplMask | kVifVip;
  if (bits == 16) changeable &= 0xFFFF;
  context.set_flags((context.flags() & ~changeable) | (value & changeable));
}

bool return_code_segment(Context& context, u16 selector, u64* raw) {
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 address = 0;
  if (!read_descriptor(context, selector, kVectorGp, raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(*raw);
  const unsigned rpl = selector & 3U;
  const bool privilege = x86::is_conforming(attributes) ? x86::dpl(attributes) <= rpl : x86::dpl(attributes) == rpl;
  if (!x86::is_code(attributes) || rpl < context.cpl || !privilege) return context.raise(kVectorGp, selector & 0xFFFCU);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, selector & 0xFFFCU);
  return true;
}

// SS for a return to privilege `cpl`.
bool return_stack_segment(Context& context, u16 selector, unsigned cpl, bool to64, Segment* out) {
  if ((selector & 0xFFFC) == 0) {
    if (!to64 || cpl == 3) return context.raise(kVectorGp, 0);
    *out = null_stack_segment(cpl);
    out->selector = selector;
    return true;
  }
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, selector, kVectorGp, &raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  if ((selector & 3U) != cpl || !x86::is_writable_data(attributes) || x86::dpl(attributes) != cpl)
    return context.raise(kVectorGp, selector & 0xFFFCU);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorSs, selector & 0xFFFCU);
  *out = segment_of(selector, raw);
  return true;
}

// A return to an outer ring leaves no inner ring's data segments behind.
void drop_inner_segments(Context& context) {
  for (const SegmentIndex index : {kEs, kDs, kFs, kGs}) {
    Segment& segment = context.segment[index];
    const bool usable = (segment.attributes & x86::kUnusable) == 0 && (segment.attributes & x86::kPresentBit) != 0;
    if (usable && !x86::is_conforming(segment.attributes) && x86::dpl(segment.attributes) < context.cpl)
      segment = {0, x86::kUnusable, 0, 0};
  }
}

// Where a return leads: read and checked as a whole before anything changes.
struct Return {
  u16 selector = 0;
  u64 code = 0;  // descriptor
  u64 rip = 0;
  unsigned cpl = 0;
  bool to64 = false;
  bool with_stack = false;  // SS:RSP are on the stack as well
  Segment stack;
  u64 rsp = 0;
};

bool check_return_code(Context& context, u64 rip, u64 selector, Return* out) {
  out->selector = static_cast<u16>(selector);
  if (!return_code_segment(context, out->selector, &out->code)) return false;
  out->rip = rip;
  out->cpl = out->selector & 3U;
  out->to64 = context.long_mode() && (x86::descriptor_attributes(out->code) & x86::kLongBit) != 0;
  return true;
}

void go_back(Context& context, const Return& to, unsigned bytes) {
  const bool outward = to.cpl != context.cpl;
  set_code_segment(context, to.selector, to.code, to.cpl);
  if (to.with_stack) {
    context.segment[kSs] = to.stack;
    const bool narrow = !to.to64 && (to.stack.attributes & x86::kDefaultBig) == 0;
    context.gpr[kRsp] = narrow && bytes != 8 ? (context.gpr[kRsp] & ~u64{0xFFFF}) | (to.rsp & 0xFFFF) : to.rsp;
  } else {
    set_stack_pointer(context, to.rsp);
  }
  context.rip = to.to64 ? to.rip : to.rip & 0xFFFFFFFF;
  if (outward) drop_inner_segments(context);
}

void enter_real(Context& context, u64 rip, u64 selector) {
  context.segment[kCs].selector = static_cast<u16>(selector);
  context.segment[kCs].base = (selector & 0xFFFF) << 4;
  context.rip = rip;
}

bool return_from_event(Context& context, unsigned operand_bits) {
  const unsigned bytes = operand_bits / 8;
  u64 words[5];
  if (is_real_mode(context)) {
    if (!read_words(context, 0, bytes, 3, words)) return false;
    set_stack_pointer(context, context.gpr[kRsp] + u64{3} * bytes);
    enter_real(context, words[0], words[1]);
    return_flags(context, words[2], operand_bits);
    return true;
  }
  const bool all_read = read_there(context, bytes, 5, words);
  if (!all_read && !read_words(context, 0, bytes, 3, words)) return false;
  if ((words[2] & kVm) != 0 && !context.long_mode() && context.cpl == 0) return context.raise(kVectorGp, 0);  // no VM86
  Return to;
  if (!check_return_code(context, words[0], words[1], &to)) return false;
  to.with_stack = context.code64() || to.cpl != context.cpl;
  to.rsp = context.gpr[kRsp] + u64{3} * bytes;
  if (to.with_stack) {
    if (!all_read && !read_words(context, 0, bytes, 5, words)) return false;
    if (!return_stack_segment(context, static_cast<u16>(words[4]), to.cpl, to.to64, &to.stack)) return false;
    to.rsp = words[3];
  }
  if (!check_code_offset(context, to.code, to.rip)) return false;
  return_flags(context, words[2], operand_bits);
  go_back(context, to, bytes);
  return true;
}

}  // namespace

bool far_return(Context& context, unsigned bits, unsigned extra_bytes) {
  const unsigned bytes = bits / 8;
  u64 words[2];
  if (!read_words(context, 0, bytes, 2, words)) return false;
  const u64 behind = u64{2} * bytes + extra_bytes;
  if (is_real_mode(context)) {
    set_stack_pointer(context, context.gpr[kRsp] + behind);
    enter_real(context, words[0], words[1]);
    return true;
  }
  Return to;
  if (!check_return_code(context, words[0], words[1], &to)) return false;
  to.with_stack = to.cpl != context.cpl;
  to.rsp = context.gpr[kRsp] + behind;
  if (to.with_stack) {
    u64 outer[2];
    if (!read_words(context, behind, bytes, 2, outer)) return false;
    if (!return_stack_segment(context, static_cast<u16>(outer[1]), to.cpl, to.to64, &to.stack)) return false;
    to.rsp = outer[0] + extra_bytes;
  }
  if (!check_code_offset(context, to.code, to.rip)) return false;
  go_back(context, to, bytes);
  return true;
}

bool do_iret(Context& context, unsigned operand_bits, u64 next_rip) {
  if ((context.rflags & kNt) != 0 && !is_real_mode(context)) {
    if (context.long_mode()) return context.raise(kVectorGp, 0);
    return return_from_task(context, next_rip);
  }
  if (!return_from_event(context, operand_bits)) return false;
  allow_nmi(context);
  return true;
}

}  // namespace pileus::engine::bt
