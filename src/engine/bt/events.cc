#include "engine/bt/events.h"

#include "engine/bt/lapic.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/stack.h"
#include "engine/bt/system.h"
#include "engine/bt/task_state.h"
#include "engine/bt/vm.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kTf = 1U << 8, kIf = 1U << 9, kNt = 1U << 14, kRf = 1U << 16, kVm = 1U << 17;
constexpr u32 kIdtError = 2;  // error-code bit: the selector index is a vector
constexpr u32 kExternal = 1;  // error-code bit: nothing that the program asked for
constexpr unsigned kGateTask = 5, kGateInterrupt16 = 6, kGateTrap16 = 7, kGateInterrupt32 = 14, kGateTrap32 = 15;

struct Gate {
  u16 selector = 0;
  u64 offset = 0;
  unsigned type = 0;
  unsigned ist = 0;
};

u32 vector_error(u8 vector) { return vector * 8U | kIdtError; }

bool read_gate(Context& context, u8 vector, EventSource source, Gate* gate) {
  const unsigned size = context.long_mode() ? 16 : 8;
  const u32 error = vector_error(vector);
  u64 raw[2] = {0, 0};
  if (u64{vector} * size + size - 1 > context.idtr.limit) return context.raise(kVectorGp, error);
  if (!read_system(context, context.idtr.base + u64{vector} * size, raw, size)) return false;
  gate->selector = static_cast<u16>(raw[0] >> 16);
  gate->offset = (raw[0] & 0xFFFF) | (raw[0] >> 48) << 16 | (context.long_mode() ? (raw[1] & 0xFFFFFFFF) << 32 : 0);
  gate->type = raw[0] >> 40 & 31;
  gate->ist = context.long_mode() ? static_cast<unsigned>(raw[0] >> 32 & 7) : 0;
  const bool is32 = gate->type == kGateInterrupt32 || gate->type == kGateTrap32;
  const bool is16 = gate->type == kGateInterrupt16 || gate->type == kGateTrap16;
  if (is16) gate->offset &= 0xFFFF;
  const bool is_legacy = is16 || gate->type == kGateTask;
  if (!is32 && (!is_legacy || context.long_mode())) return context.raise(kVectorGp, error);
  if (source == EventSource::kSoftware && (raw[0] >> 45 & 3) < context.cpl) return context.raise(kVectorGp, error);
  if ((raw[0] >> 47 & 1) == 0) return context.raise(kVectorNp, error);
  return true;
}

// The handler's code segment and the privilege it runs with.
bool read_target(Context& context, const Gate& gate, u64* raw, unsigned* cpl) {
  if ((gate.selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 address = 0;
  if (!read_descriptor(context, gate.selector, kVectorGp, raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(*raw);
  const u32 error = gate.selector & 0xFFFCU;
  if (!x86::is_code(attributes) || x86::dpl(attributes) > context.cpl) return context.raise(kVectorGp, error);
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error);
  if (context.long_mode() && (attributes & x86::kLongBit) == 0) return context.raise(kVectorGp, error);
  *cpl = x86::is_conforming(attributes) ? context.cpl : x86::dpl(attributes);
  return check_code_offset(context, *raw, gate.offset);
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
    if (!read_inner_stack_long(context, cpl, gate.ist, &stack)) return false;
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
  if (!read_gate(context, vector, source, &gate)) return false;
  if (gate.type == kGateTask) return switch_task_for_event(context, gate.selector, has_error, error);
  if (!read_target(context, gate, &raw, &cpl)) return false;
  const bool wide = gate.type >= kGateInterrupt32;
  const bool inner = cpl != context.cpl;
  InnerStack to{context.segment[kSs], static_cast<u32>(context.gpr[kRsp])};
  if (inner && !read_inner_stack(context, cpl, &to)) return false;
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
  const bool big = (to.segment.attributes & x86::kDefaultBig) != 0;
  const u32 stack = (to.pointer - bytes) & (big ? 0xFFFFFFFF : 0xFFFF);
  if (!is_within(to.segment, stack, bytes)) {
    return context.raise(kVectorSs, inner ? to.segment.selector & 0xFFFCU : 0);
  }
  const u64 linear = (to.segment.base + stack) & 0xFFFFFFFF;
  const void* data = wide ? static_cast<const void*>(frame) : narrow;
  if (!write_memory(context, linear, data, bytes, cpl == 3 ? kModeUser : kModeKernel)) return false;
  context.segment[kSs] = to.segment;
  set_stack_pointer(context, stack);
  enter_handler(context, gate, raw, cpl);
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
  const bool done = context.long_mode() ? deliver_long(context, vector, source, has_error, error)
                                        : deliver_protected(context, vector, source, has_error, error);
  const bool names_selector = context.fault.vector >= kVectorTs && context.fault.vector <= kVectorGp;
  if (!done && names_selector && source != EventSource::kSoftware) context.fault.error |= kExternal;
  return done;
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

void allow_nmi(Context& context) {
  context.nmi_blocked = false;
  if (context.nmi_pending) context.request_exit();
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
