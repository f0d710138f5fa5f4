#include "engine/bt/events.h"

#include "engine/bt/lapic.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/stack.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kTf = 1U << 8, kIf = 1U << 9, kIoplMask = 3U << 12, kNt = 1U << 14, kRf = 1U << 16, kVm = 1U << 17;
constexpr u32 kIdtError = 2;  // error-code bit: the selector index is a vector
constexpr unsigned kGateInterrupt16 = 6, kGateTrap16 = 7, kGateInterrupt32 = 14, kGateTrap32 = 15;

struct Gate {
  u16 selector = 0;
  u64 offset = 0;
  unsigned type = 0;
  unsigned ist = 0;
};

u32 vector_error(u8 vector, EventSource source) {
  return vector * 8U | kIdtError | (source == EventSource::kSoftware ? 0U : 1U);
}

bool read_gate(Context& context, u8 vector, EventSource source, Gate* gate) {
  const unsigned size = context.long_mode() ? 16 : 8;
  const u32 error = vector_error(vector, source);
  u64 raw[2] = {0, 0};
  if (u64{vector} * size + size - 1 > context.idtr.limit) return context.raise(kVectorGp, error);
  if (!read_system(context, context.idtr.base + u64{vector} * size, raw, size)) return false;
  gate->selector = static_cast<u16>(raw[0] >> 16);
  gate->offset = (raw[0] & 0xFFFF) | (raw[0] >> 48) << 16 | (context.long_mode() ? (raw[1] & 0xFFFFFFFF) << 32 : 0);
  gate->type = raw[0] >> 40 & 31;
  gate->ist = context.long_mode() ? static_cast<unsigned>(raw[0] >> 32 & 7) : 0;
  const bool is32 = gate->type == kGateInterrupt32 || gate->type == kGateTrap32;
  const bool is16 = gate->type == kGateInterrupt16 || gate->type == kGateTrap16;
  if (!is32 && !(is16 && !context.long_mode())) return context.raise(kVectorGp, error);
  if (source == EventSource::kSoftware && (raw[0] >> 45 & 3) < context.cpl) return context.raise(kVectorGp, error);
  if ((raw[0] >> 47 & 1) == 0) return context.raise(kVectorNp, error);
  return true;
}

// The handler's code segment and the privilege it runs with.
bool read_target(Context& context, const Gate& gate, u64* raw, unsigned* cpl) {
  if ((gate.selector & 0xFFFC) == 0) return context.raise(kVectorGp, 1);
  u64 address = 0;
  if (!read_descriptor(context, gate.selector, kVectorGp, raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(*raw);
  const u32 error = gate.selector & 0xFFFCU;
  if (!x86::is_code(attributes) || x86::dpl(attributes) > context.cpl) return context.raise(kVectorGp, error);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error);
  if (context.long_mode() && (attributes & x86::kLongBit) == 0) return context.raise(kVectorGp, error);
  *cpl = (attributes & x86::kTypeConforming) != 0 ? context.cpl : x86::dpl(attributes);
  return true;
}

void enter_handler(Context& context, const Gate& gate, u64 raw, unsigned cpl) {
  set_code_segment(context, gate.selector, raw, cpl);
  context.rip = gate.offset;
  u64 flags = context.flags() & ~(kTf | kNt | kRf | kVm);
  if ((gate.type & 1) == 0) flags &= ~kIf;  // interrupt gate
  context.set_flags(flags);
}

// SDM vol. 3, 6.14.
bool deliver_long(Context& context, u8 vector, EventSource source, bool has_error, u32 error) {
  Gate gate;
  u64 raw = 0;
  unsigned cpl = 0;
  if (!read_gate(context, vector, source, &gate) || !read_target(context, gate, &raw, &cpl)) return false;
  u64 stack = context.gpr[kRsp];
  if (gate.ist != 0 || cpl != context.cpl) {
    const u64 offset = gate.ist != 0 ? 28 + 8 * gate.ist : 4 + 8 * cpl;
    if (offset + 7 > context.tr.limit) return context.raise(kVectorTs, context.tr.selector & 0xFFFCU);
    if (!read_system(context, context.tr.base + offset, &stack, 8)) return false;
  }
  stack &= ~u64{15};
  u64 frame[6];
  unsigned count = 0;
  if (has_error) frame[count++] = error;
  frame[count++] = context.rip;
  frame[count++] = context.segment[kCs].selector;
  frame[count++] = context.flags();
  frame[count++] = context.gpr[kRsp];
  frame[count++] = context.segment[kSs].selector;
  stack -= u64{count} * 8;
  if (static_cast<u64>(static_cast<i64>(stack << 16) >> 16) != stack) return context.raise(kVectorSs, 0);
  const Mode mode = cpl == 3 ? kModeUser : kModeKernel;
  if (!write_memory(context, stack, frame, count * 8, mode)) return false;
  if (cpl != context.cpl) context.segment[kSs] = null_stack_segment(cpl);
  context.gpr[kRsp] = stack;
  enter_handler(context, gate, raw, cpl);
  return true;
}

// SDM vol. 3, 6.12.1: through the 32-bit or 16-bit TSS when the privilege changes.
bool deliver_protected(Context& context, u8 vector, EventSource source, bool has_error, u32 error) {
  Gate gate;
  u64 raw = 0;
  unsigned cpl = 0;
  if (!read_gate(context, vector, source, &gate) || !read_target(context, gate, &raw, &cpl)) return false;
  const bool wide = gate.type >= kGateInterrupt32;
  Segment stack_segment = context.segment[kSs];
  u32 stack = static_cast<u32>(context.gpr[kRsp]);
  const bool inner = cpl != context.cpl;
  if (inner) {
    const bool tss32 = (context.tr.attributes & 8) != 0;
    u32 pointer = 0;
    u16 selector = 0;
    const u64 at = context.tr.base + (tss32 ? 4 + 8 * cpl : 2 + 4 * cpl);
    if (!read_system(context, at, &pointer, tss32 ? 4 : 2)) return false;
    if (!read_system(context, at + (tss32 ? 4 : 2), &selector, 2)) return false;
    u64 stack_raw = 0, address = 0;
    if (!read_descriptor(context, selector, kVectorTs, &stack_raw, &address)) return false;
    stack_segment = segment_of(selector, stack_raw);
    stack = pointer;
  }
  u32 frame[6];
  unsigned count = 0;
  if (has_error) frame[count++] = error;
  frame[count++] = static_cast<u32>(context.rip);
  frame[count++] = context.segment[kCs].selector;
  frame[count++] = static_cast<u32>(context.flags());
  if (inner) {
    frame[count++] = static_cast<u32>(context.gpr[kRsp]);
    frame[count++] = context.segment[kSs].selector;
  }
  u16 narrow[6];
  for (unsigned i = 0; i < count; ++i) narrow[i] = static_cast<u16>(frame[i]);
  const unsigned bytes = count * (wide ? 4 : 2);
  const bool big = (stack_segment.attributes & x86::kDefaultBig) != 0;
  stack -= bytes;
  const u64 linear = (stack_segment.base + (big ? stack : stack & 0xFFFF)) & 0xFFFFFFFF;
  const void* data = wide ? static_cast<const void*>(frame) : narrow;
  if (!write_memory(context, linear, data, bytes, cpl == 3 ? kModeUser : kModeKernel)) return false;
  context.segment[kSs] = stack_segment;
  context.gpr[kRsp] = big ? stack : (context.gpr[kRsp] & ~u64{0xFFFF}) | (stack & 0xFFFF);
  enter_handler(context, gate, raw, cpl);
  if (!wide) context.rip &= 0xFFFF;
  return true;
}

bool deliver_real(Context& context, u8 vector) {
  u32 entry = 0;
  if (u64{vector} * 4 + 3 > context.idtr.limit) return context.raise(kVectorGp);
  if (!read_system(context, context.idtr.base + u64{vector} * 4, &entry, 4)) return false;
  const u16 stack = static_cast<u16>(context.gpr[kRsp] - 6);
  const u16 frame[3] = {static_cast<u16>(context.rip), context.segment[kCs].selector,
                        static_cast<u16>(context.flags())};
  if (!write_system(context, context.segment[kSs].base + stack, frame, sizeof frame)) return false;
  context.gpr[kRsp] = (context.gpr[kRsp] & ~u64{0xFFFF}) | stack;
  context.set_flags(context.flags() & ~(kIf | kTf | kRf));
  context.segment[kCs].selector = static_cast<u16>(entry >> 16);
  context.segment[kCs].base = u64{entry >> 16} << 4;
  context.rip = entry & 0xFFFF;
  return true;
}

bool deliver(Context& context, u8 vector, EventSource source, bool has_error, u32 error) {
  if (is_real_mode(context)) return deliver_real(context, vector);
  if (context.long_mode()) return deliver_long(context, vector, source, has_error, error);
  return deliver_protected(context, vector, source, has_error, error);
}

bool is_contributory(u8 vector) { return vector == kVectorDe || (vector >= kVectorTs && vector <= kVectorGp); }

bool shut_down(Context& context) {
  context.run_state = RunState::kShutdown;
  return false;
}

}  // namespace

// SDM vol. 3, 6.15, "Interrupt 8": which second fault makes a double fault.
bool deliver_fault(Context& context) {
  Fault fault = context.fault;
  ++context.stats.exceptions;
  context.doing(Activity::kEvent);
  context.shadow = false;
  bool first = true;
  Fault previous;
  for (;;) {
    // Also when it becomes a double fault: CR2 then tells the handler where the stack ended.
    if (fault.vector == kVectorPf) {
      context.cr2 = fault.address;
      ++context.stats.page_faults;
    }
    if (!first) {
      const bool both = (is_contributory(previous.vector) && is_contributory(fault.vector)) ||
                        (previous.vector == kVectorPf && (is_contributory(fault.vector) || fault.vector == kVectorPf));
      if (previous.vector == kVectorDf) return shut_down(context);
      if (both) fault = {kVectorDf, true, 0, 0};
    }
    const u64 flags = context.flags();
    if (first && fault.vector != kVectorDb) context.set_flags(flags | kRf);
    if (deliver(context, fault.vector, EventSource::kException, fault.has_error && !is_real_mode(context),
                fault.error)) {
      return true;
    }
    context.set_flags(flags);
    previous = fault;
    fault = context.fault;
    first = false;
  }
}

bool deliver_first_fault(Context& context) {
  const Fault fault = context.fault;
  const u64 flags = context.flags();
  const u64 cr2 = context.cr2;
  if (fault.vector == kVectorPf) context.cr2 = fault.address;
  if (fault.vector != kVectorDb) context.set_flags(flags | kRf);
  if (!deliver(context, fault.vector, EventSource::kException, fault.has_error, fault.error)) {
    context.set_flags(flags);
    context.cr2 = cr2;
    return false;
  }
  context.shadow = false;
  ++context.stats.exceptions;
  if (fault.vector == kVectorPf) ++context.stats.page_faults;
  return true;
}

bool deliver_interrupt(Context& context, u8 vector, EventSource source) {
  context.doing(Activity::kEvent);
  context.shadow = false;
  if (deliver(context, vector, source, false, 0)) return true;
  if (source == EventSource::kSoftware || source == EventSource::kPrivilegedSoftware) return false;
  deliver_fault(context);
  return true;
}

namespace {

// Flags that IRET may change (SDM vol. 2, IRET).
void return_flags(Context& context, u64 value, unsigned bits) {
  u64 changeable = 0x8D5 | kTf | (1U << 10) | kNt | (1U << 18) | (1U << 21) | kRf;
  if (context.cpl <= (context.rflags >> 12 & 3)) changeable |= kIf;
  if (context.cpl == 0) changeable |= kIoplMask | (3U << 19);
  if (bits == 16) changeable &= 0xFFFF;
  context.set_flags((context.flags() & ~changeable) | (value & changeable));
}

struct ReturnFrame {
  u64 rip = 0, flags = 0, rsp = 0;
  u16 cs = 0, ss = 0;
};

bool read_words(Context& context, u64 va, unsigned bytes, unsigned count, u64* out, Mode mode) {
  u8 raw[40];
  if (!read_memory(context, va, raw, bytes * count, mode)) return false;
  for (unsigned i = 0; i < count; ++i) {
    out[i] = 0;
    __builtin_memcpy(&out[i], raw + i * bytes, bytes);
  }
  return true;
}

bool iret_real(Context& context, unsigned bytes) {
  u64 words[3];
  if (!read_words(context, stack_address(context), bytes, 3, words, context.mode())) return false;
  set_stack_pointer(context, context.gpr[kRsp] + u64{3} * bytes);
  context.rip = words[0];
  context.segment[kCs].selector = static_cast<u16>(words[1]);
  context.segment[kCs].base = (words[1] & 0xFFFF) << 4;
  return_flags(context, words[2], bytes * 8);
  return true;
}

bool return_code_segment(Context& context, u16 selector, u64* raw) {
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 address = 0;
  if (!read_descriptor(context, selector, kVectorGp, raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(*raw);
  const unsigned rpl = selector & 3U;
  const bool conforming = (attributes & x86::kTypeConforming) != 0;
  const bool privilege = conforming ? x86::dpl(attributes) <= rpl : x86::dpl(attributes) == rpl;
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
  const bool writable = (attributes & x86::kCodeOrData) != 0 && !x86::is_code(attributes) &&
                        (attributes & x86::kTypeReadableWritable) != 0;
  if ((selector & 3U) != cpl || !writable || x86::dpl(attributes) != cpl)
    return context.raise(kVectorGp, selector & 0xFFFCU);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorSs, selector & 0xFFFCU);
  *out = segment_of(selector, raw);
  return true;
}

// A return to an outer ring leaves no inner ring's data segments behind.
void drop_inner_segments(Context& context) {
  for (const SegmentIndex index : {kEs, kDs, kFs, kGs}) {
    Segment& segment = context.segment[index];
    const bool conforming = x86::is_code(segment.attributes) && (segment.attributes & x86::kTypeConforming) != 0;
    const bool usable = (segment.attributes & x86::kUnusable) == 0 && (segment.attributes & x86::kPresentBit) != 0;
    if (usable && !conforming && x86::dpl(segment.attributes) < context.cpl) segment = {0, x86::kUnusable, 0, 0};
  }
}

}  // namespace

bool do_iret(Context& context, unsigned operand_bits) {
  const unsigned bytes = operand_bits / 8;
  if (is_real_mode(context)) {
    if (!iret_real(context, bytes)) return false;
    context.nmi_blocked = false;
    return true;
  }
  if ((context.rflags & kNt) != 0) return context.raise(kVectorGp, 0);
  u64 words[5];
  const u64 stack = stack_address(context);
  if (!read_words(context, stack, bytes, 3, words, context.mode())) return false;
  if ((words[2] & kVm) != 0 && !context.long_mode() && context.cpl == 0) return context.raise(kVectorGp, 0);
  const auto cs = static_cast<u16>(words[1]);
  u64 raw = 0;
  if (!return_code_segment(context, cs, &raw)) return false;
  const unsigned cpl = cs & 3U;
  const bool to64 = context.long_mode() && (x86::descriptor_attributes(raw) & x86::kLongBit) != 0;
  const bool with_stack = context.code64() || cpl != context.cpl;
  Segment stack_segment = context.segment[kSs];
  u64 rsp = context.gpr[kRsp] + u64{3} * bytes;
  if (with_stack) {
    if (!read_words(context, stack, bytes, 5, words, context.mode())) return false;
    if (!return_stack_segment(context, static_cast<u16>(words[4]), cpl, to64, &stack_segment)) return false;
    rsp = words[3];
  }
  if (to64 && static_cast<u64>(static_cast<i64>(words[0] << 16) >> 16) != words[0]) return context.raise(kVectorGp, 0);
  const bool outward = cpl != context.cpl;
  return_flags(context, words[2], operand_bits);
  set_code_segment(context, cs, raw, cpl);
  context.segment[kSs] = stack_segment;
  if (with_stack) {
    const bool narrow = !to64 && (stack_segment.attributes & x86::kDefaultBig) == 0;
    context.gpr[kRsp] = narrow && bytes != 8 ? (context.gpr[kRsp] & ~u64{0xFFFF}) | (rsp & 0xFFFF) : rsp;
  } else {
    set_stack_pointer(context, rsp);
  }
  context.rip = to64 ? words[0] : words[0] & 0xFFFFFFFF;
  if (outward) drop_inner_segments(context);
  context.nmi_blocked = false;
  return true;
}

bool take_pending_events(Context& context) {
  Lapic& lapic = *context.lapic;
  if (lapic.take_init()) {
    reset_context(context);
    lapic.init();
    flush_tlb_all(context);
    context.run_state = context.id == 0 ? RunState::kRunning : RunState::kWaitForSipi;
    context.irq_waiting = 0;
  }
  if (const auto vector = lapic.take_sipi(); vector && context.run_state == RunState::kWaitForSipi) {
    start_at_sipi(context, *vector);
    return true;
  }
  if (context.run_state != RunState::kRunning && context.run_state != RunState::kHalted) return false;
  if (lapic.take_nmi()) context.nmi_pending = true;
  if (context.nmi_pending && !context.nmi_blocked && !context.shadow) {
    context.nmi_pending = false;
    context.nmi_blocked = true;
    context.run_state = RunState::kRunning;
    return deliver_interrupt(context, kVectorNmi, EventSource::kExternal);
  }
  lapic.sync_pv_eoi();
  const auto vector = lapic.pending();
  const bool legacy = lapic.ext_int_pending();
  context.irq_waiting = vector || legacy ? 1 : 0;
  if (context.irq_waiting == 0 || context.if_flag == 0 || context.shadow) return false;
  if (!legacy) lapic.accept(*vector);
  const u8 taken = legacy ? context.vm->config().ext_int->acknowledge() : *vector;
  context.run_state = RunState::kRunning;
  ++context.stats.interrupts;
  deliver_interrupt(context, taken, EventSource::kExternal);
  context.irq_waiting = lapic.pending() || lapic.ext_int_pending() ? 1 : 0;
  return true;
}

}  // namespace pileus::engine::bt
