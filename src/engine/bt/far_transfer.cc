// Far jumps, calls and returns (SDM vol. 2, JMP, CALL, RET). Call gates are not offered: they raise #GP.
#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/system.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

u64 stack_linear(const Context& context, u64 rsp) {
  if (context.code64()) return rsp;
  const bool big = (context.segment[kSs].attributes & x86::kDefaultBig) != 0;
  return (context.segment[kSs].base + (rsp & (big ? 0xFFFFFFFF : 0xFFFF))) & 0xFFFFFFFF;
}

void move_stack(Context& context, u64 rsp) {
  if (context.code64()) context.gpr[kRsp] = rsp;
  else if ((context.segment[kSs].attributes & x86::kDefaultBig) != 0) context.gpr[kRsp] = rsp & 0xFFFFFFFF;
  else context.gpr[kRsp] = (context.gpr[kRsp] & ~u64{0xFFFF}) | (rsp & 0xFFFF);
}

// A code segment that a direct far transfer at the current privilege may enter.
bool check_target(Context& context, u16 selector, u64* raw) {
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 address = 0;
  if (!read_descriptor(context, selector, kVectorGp, raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(*raw);
  const u32 error = selector & 0xFFFCU;
  if (!x86::is_code(attributes)) return context.raise(kVectorGp, error);
  const bool conforming = (attributes & x86::kTypeConforming) != 0;
  const unsigned dpl = x86::dpl(attributes);
  const bool allowed = conforming ? dpl <= context.cpl : (selector & 3U) <= context.cpl && dpl == context.cpl;
  if (!allowed) return context.raise(kVectorGp, error);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error);
  return true;
}

void enter_real(Context& context, u16 selector, u64 offset) {
  context.segment[kCs].selector = selector;
  context.segment[kCs].base = u64{selector} << 4;
  context.rip = offset;
}

// The new RIP has to be canonical in 64-bit mode and within the segment in any other.
bool check_offset(Context& context, u64 raw, u64 offset) {
  if (context.long_mode() && (x86::descriptor_attributes(raw) & x86::kLongBit) != 0) {
    return static_cast<u64>(static_cast<i64>(offset << 16) >> 16) == offset || context.raise(kVectorGp, 0);
  }
  return (offset & 0xFFFFFFFF) <= x86::descriptor_limit(raw) || context.raise(kVectorGp, 0);
}

void enter_protected(Context& context, u16 selector, u64 raw, u64 offset) {
  set_code_segment(context, selector, raw, context.cpl);
  context.rip = context.code64() ? offset : offset & 0xFFFFFFFF;
}

}  // namespace

bool far_jump(Context& context, u16 selector, u64 offset, unsigned) {
  if (is_real_mode(context)) {
    enter_real(context, selector, offset);
    return true;
  }
  u64 raw = 0;
  if (!check_target(context, selector, &raw) || !check_offset(context, raw, offset)) return false;
  enter_protected(context, selector, raw, offset);
  return true;
}

bool far_call(Context& context, u16 selector, u64 offset, unsigned bits, u64 return_rip) {
  u64 raw = 0;
  if (!is_real_mode(context) && (!check_target(context, selector, &raw) || !check_offset(context, raw, offset)))
    return false;
  const unsigned bytes = bits / 8;
  u8 frame[16] = {};
  const u64 old_cs = context.segment[kCs].selector;
  __builtin_memcpy(frame, &return_rip, bytes);
  __builtin_memcpy(frame + bytes, &old_cs, bytes < 8 ? bytes : 8);
  const u64 rsp = context.gpr[kRsp] - u64{2} * bytes;
  if (!write_memory(context, stack_linear(context, rsp), frame, 2 * bytes, context.mode())) return false;
  move_stack(context, rsp);
  if (is_real_mode(context)) enter_real(context, selector, offset);
  else enter_protected(context, selector, raw, offset);
  return true;
}

bool far_return(Context& context, unsigned bits, unsigned extra_bytes) {
  const unsigned bytes = bits / 8;
  u64 words[4] = {};
  const auto pop = [&](unsigned i, u64 at) {
    return read_memory(context, stack_linear(context, at), &words[i], bytes, context.mode());
  };
  const u64 rsp = context.gpr[kRsp];
  if (!pop(0, rsp) || !pop(1, rsp + bytes)) return false;
  const auto selector = static_cast<u16>(words[1]);
  if (is_real_mode(context)) {
    move_stack(context, rsp + u64{2} * bytes + extra_bytes);
    enter_real(context, selector, words[0]);
    return true;
  }
  const unsigned cpl = selector & 3U;
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, selector, kVectorGp, &raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  const bool conforming = (attributes & x86::kTypeConforming) != 0;
  const bool privilege = conforming ? x86::dpl(attributes) <= cpl : x86::dpl(attributes) == cpl;
  if (!x86::is_code(attributes) || cpl < context.cpl || !privilege) return context.raise(kVectorGp, selector & 0xFFFCU);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, selector & 0xFFFCU);
  if (!check_offset(context, raw, words[0])) return false;
  if (cpl == context.cpl) {
    move_stack(context, rsp + u64{2} * bytes + extra_bytes);
    set_code_segment(context, selector, raw, cpl);
    context.rip = context.code64() ? words[0] : words[0] & 0xFFFFFFFF;
    return true;
  }
  const u64 outer = rsp + u64{2} * bytes + extra_bytes;
  if (!pop(2, outer) || !pop(3, outer + bytes)) return false;
  const auto stack_selector = static_cast<u16>(words[3]);
  u64 stack_raw = 0;
  if ((stack_selector & 0xFFFC) == 0 || (stack_selector & 3U) != cpl) return context.raise(kVectorGp, 0);
  if (!read_descriptor(context, stack_selector, kVectorGp, &stack_raw, &address)) return false;
  set_code_segment(context, selector, raw, cpl);
  context.rip = context.code64() ? words[0] : words[0] & 0xFFFFFFFF;
  context.segment[kSs] = segment_of(stack_selector, stack_raw);
  move_stack(context, words[2] + extra_bytes);
  return true;
}

}  // namespace pileus::engine::bt
