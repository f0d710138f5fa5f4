// Far jumps and calls, by gates too (SDM vol. 2, JMP and CALL; vol. 3, 5.8). The ways back are in far_return.cc.
#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/stack.h"
#include "engine/bt/system.h"
#include "engine/bt/task_state.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr unsigned kMostWords = 36;  // CS:RIP, SS:RSP and the parameters of a call gate

u32 error_of(u16 selector) { return selector & 0xFFFCU; }

// A code segment that a direct far transfer at the current privilege may enter.
bool check_target(Context& context, u16 selector, u64 raw) {
  const u32 attributes = x86::descriptor_attributes(raw);
  const unsigned dpl = x86::dpl(attributes);
  const bool allowed =
      x86::is_conforming(attributes) ? dpl <= context.cpl : (selector & 3U) <= context.cpl && dpl == context.cpl;
  if (!allowed) return context.raise(kVectorGp, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  return true;
}

void enter_real(Context& context, u16 selector, u64 offset) {
  context.segment[kCs].selector = selector;
  context.segment[kCs].base = u64{selector} << 4;
  context.rip = offset;
}

void enter_protected(Context& context, u16 selector, u64 raw, u64 offset, unsigned cpl) {
  set_code_segment(context, selector, raw, cpl);
  context.rip = context.code64() ? offset : offset & 0xFFFFFFFF;
}

// `count` words onto `stack`, nullptr for the flat one of 64-bit code, whose pointer is *pointer; the first one is on top,
// and *pointer then leads to it.
bool push_words(Context& context, const Segment* stack, Mode mode, const u64* words, unsigned count, unsigned bytes,
                u64* pointer) {
  u8 image[8 * kMostWords];
  for (unsigned i = 0; i < count; ++i) __builtin_memcpy(image + i * bytes, &words[i], bytes);
  const unsigned size = count * bytes;
  *pointer -= size;
  if (stack == nullptr) {
    const bool canonical = static_cast<u64>(static_cast<i64>(*pointer << 16) >> 16) == *pointer;
    if (!canonical) return context.raise(kVectorSs, 0);
    return write_memory(context, *pointer, image, size, mode);
  }
  *pointer &= (stack->attributes & x86::kDefaultBig) != 0 ? 0xFFFFFFFF : 0xFFFF;
  if (!is_within(*stack, *pointer, size)) return context.raise(kVectorSs, 0);
  return write_memory(context, (stack->base + *pointer) & 0xFFFFFFFF, image, size, mode);
}

const Segment* current_stack(const Context& context) { return context.code64() ? nullptr : &context.segment[kSs]; }

struct CallGate {
  u16 selector = 0;
  u64 offset = 0;
  unsigned bytes = 0;  // of what is pushed
  unsigned parameters = 0;  // words copied to the inner stack
};

bool read_call_gate(Context& context, u16 selector, u64 raw, u64 address, CallGate* gate) {
  const u32 attributes = x86::descriptor_attributes(raw);
  if (x86::dpl(attributes) < context.cpl || x86::dpl(attributes) < (selector & 3U))
    return context.raise(kVectorGp, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  const bool narrow = x86::system_type(attributes) == x86::kTypeCallGate16;
  gate->selector = static_cast<u16>(raw >> 16);
  gate->offset = (raw & 0xFFFF) | (narrow ? 0 : (raw >> 48) << 16);
  gate->bytes = narrow ? 2 : 4;
  gate->parameters = static_cast<unsigned>(raw >> 32 & 31);
  if (!context.long_mode()) return true;
  // 16 bytes long, the second half of type 0
  u64 high = 0;
  if (!read_system(context, address + 8, &high, 8)) return false;
  if (narrow || (high >> 40 & 31) != 0) return context.raise(kVectorGp, error_of(selector));
  gate->offset |= high << 32;
  gate->bytes = 8;
  gate->parameters = 0;
  return true;
}

// The code segment that a gate names.
bool read_gate_target(Context& context, const CallGate& gate, u64* raw) {
  if ((gate.selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 address = 0;
  if (!read_descriptor(context, gate.selector, kVectorGp, raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(*raw);
  const bool long_code = (attributes & (x86::kLongBit | x86::kDefaultBig)) == x86::kLongBit;
  const bool fits =
      x86::is_code(attributes) && x86::dpl(attributes) <= context.cpl && (!context.long_mode() || long_code);
  if (!fits) return context.raise(kVectorGp, error_of(gate.selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(gate.selector));
  return check_code_offset(context, *raw, gate.offset);
}

bool call_same_ring(Context& context, const CallGate& gate, u64 raw, u64 return_rip) {
  const u64 frame[] = {return_rip, context.segment[kCs].selector};
  const Segment* stack = context.long_mode() ? nullptr : &context.segment[kSs];  // the gate leads to 64-bit code there
  u64 pointer = stack == nullptr ? context.gpr[kRsp] : stack_pointer(context);
  if (!push_words(context, stack, context.mode(), frame, 2, gate.bytes, &pointer)) return false;
  enter_protected(context, gate.selector, raw, gate.offset, context.cpl);
  set_stack_pointer(context, pointer);
  return true;
}

bool call_inner_ring_long(Context& context, const CallGate& gate, u64 raw, unsigned cpl, u64 return_rip) {
  u64 pointer = 0;
  if (!read_inner_stack_long(context, cpl, 0, &pointer)) return false;
  const u64 frame[] = {return_rip, context.segment[kCs].selector, context.gpr[kRsp], context.segment[kSs].selector};
  if (!push_words(context, nullptr, kModeKernel, frame, 4, gate.bytes, &pointer)) return false;
  context.segment[kSs] = null_stack_segment(cpl);
  context.gpr[kRsp] = pointer;
  enter_protected(context, gate.selector, raw, gate.offset, cpl);
  return true;
}

bool call_inner_ring(Context& context, const CallGate& gate, u64 raw, unsigned cpl, u64 return_rip) {
  InnerStack inner;
  if (!read_inner_stack(context, cpl, &inner)) return false;
  u64 words[kMostWords] = {return_rip, context.segment[kCs].selector};
  const Segment& outer = context.segment[kSs];
  const u64 outer_pointer = stack_pointer(context);
  for (unsigned i = 0; i < gate.parameters; ++i) {
    const u64 at = (outer_pointer + u64{i} * gate.bytes) & stack_mask(context);
    if (!is_within(outer, at, gate.bytes)) return context.raise(kVectorSs, 0);
    if (!read_memory(context, (outer.base + at) & 0xFFFFFFFF, &words[2 + i], gate.bytes, context.mode())) return false;
  }
  words[2 + gate.parameters] = outer_pointer;
  words[3 + gate.parameters] = outer.selector;
  u64 pointer = inner.pointer;
  if (!push_words(context, &inner.segment, kModeKernel, words, 4 + gate.parameters, gate.bytes, &pointer)) {
    if (context.fault.vector == kVectorSs) context.fault.error = error_of(inner.segment.selector);
    return false;
  }
  enter_protected(context, gate.selector, raw, gate.offset, cpl);
  context.segment[kSs] = inner.segment;
  set_stack_pointer(context, pointer);
  return true;
}

bool call_by_gate(Context& context, const CallGate& gate, u64 return_rip) {
  u64 raw = 0;
  if (!read_gate_target(context, gate, &raw)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  const unsigned cpl = x86::is_conforming(attributes) ? context.cpl : x86::dpl(attributes);
  if (cpl == context.cpl) return call_same_ring(context, gate, raw, return_rip);
  return context.long_mode() ? call_inner_ring_long(context, gate, raw, cpl, return_rip)
                             : call_inner_ring(context, gate, raw, cpl, return_rip);
}

bool jump_by_gate(Context& context, const CallGate& gate) {
  u64 raw = 0;
  if (!read_gate_target(context, gate, &raw)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  if (!x86::is_conforming(attributes) && x86::dpl(attributes) != context.cpl)
    return context.raise(kVectorGp, error_of(gate.selector));
  enter_protected(context, gate.selector, raw, gate.offset, context.cpl);
  return true;
}

bool call_directly(Context& context, u16 selector, u64 raw, u64 offset, unsigned bits, u64 return_rip) {
  if (!check_target(context, selector, raw) || !check_code_offset(context, raw, offset)) return false;
  const u64 frame[] = {return_rip, context.segment[kCs].selector};
  u64 pointer = stack_pointer(context);
  if (!push_words(context, current_stack(context), context.mode(), frame, 2, bits / 8, &pointer)) return false;
  set_stack_pointer(context, pointer);
  enter_protected(context, selector, raw, offset, context.cpl);
  return true;
}

// A far transfer to what is no code segment: a gate or a task, else #GP(selector).
bool transfer_by_system(Context& context, u16 selector, u64 raw, u64 address, TaskSwitch how, u64 return_rip) {
  const u32 attributes = x86::descriptor_attributes(raw);
  switch (x86::system_type(attributes)) {
    case x86::kTypeCallGate16:
    case x86::kTypeCallGate32: {
      CallGate gate;
      if (!read_call_gate(context, selector, raw, address, &gate)) return false;
      return how == TaskSwitch::kCall ? call_by_gate(context, gate, return_rip) : jump_by_gate(context, gate);
    }
    case x86::kTypeTaskGate:
      if (context.long_mode()) break;
      return enter_task_gate(context, selector, raw, how, return_rip);
    case x86::kTypeTss32:
      if (context.long_mode() || x86::dpl(attributes) < context.cpl || x86::dpl(attributes) < (selector & 3U)) break;
      return switch_task(context, selector, how, return_rip);
    default: break;
  }
  return context.raise(kVectorGp, error_of(selector));
}

bool read_far_target(Context& context, u16 selector, u64* raw, u64* address) {
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  return read_descriptor(context, selector, kVectorGp, raw, address);
}

}  // namespace

bool far_jump(Context& context, u16 selector, u64 offset, u64 return_rip) {
  if (is_real_mode(context)) {
    enter_real(context, selector, offset);
    return true;
  }
  u64 raw = 0, address = 0;
  if (!read_far_target(context, selector, &raw, &address)) return false;
  if (!x86::is_code(x86::descriptor_attributes(raw)))
    return transfer_by_system(context, selector, raw, address, TaskSwitch::kJump, return_rip);
  if (!check_target(context, selector, raw) || !check_code_offset(context, raw, offset)) return false;
  enter_protected(context, selector, raw, offset, context.cpl);
  return true;
}

bool far_call(Context& context, u16 selector, u64 offset, unsigned bits, u64 return_rip) {
  if (is_real_mode(context)) {
    const u64 frame[] = {return_rip, context.segment[kCs].selector};
    u64 pointer = stack_pointer(context);
    if (!push_words(context, current_stack(context), context.mode(), frame, 2, bits / 8, &pointer)) return false;
    set_stack_pointer(context, pointer);
    enter_real(context, selector, offset);
    return true;
  }
  u64 raw = 0, address = 0;
  if (!read_far_target(context, selector, &raw, &address)) return false;
  if (!x86::is_code(x86::descriptor_attributes(raw)))
    return transfer_by_system(context, selector, raw, address, TaskSwitch::kCall, return_rip);
  return call_directly(context, selector, raw, offset, bits, return_rip);
}

}  // namespace pileus::engine::bt
