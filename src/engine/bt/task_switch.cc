// Hardware task switches between 32-bit task-state segments (SDM vol. 3, 8.3). 32-bit kernels take their double faults so:
// by a task of its own, with a stack and page tables that are known to be good. 16-bit TSSs and VM86 tasks there are not.
#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/stack.h"
#include "engine/bt/system.h"
#include "engine/bt/task_state.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kNt = 1U << 14, kVm = 1U << 17;
constexpr u64 kCr0Ts = 8, kCr0Pg = u64{1} << 31;
constexpr u64 kBusy = u64{2} << 40;  // in a TSS descriptor
constexpr u64 kLocalBreakpoints = 0x155;  // of DR7: L0 to L3, LE
constexpr u64 kTaskTrap = 1U << 15;  // DR6.BT
constexpr u32 kLeastLimit = 103;

// The 32-bit TSS (SDM vol. 3, figure 8-2).
struct Tss {
  u32 link;
  u32 stacks[6];
  u32 cr3;
  u32 eip, eflags;
  u32 gpr[8];
  u32 selector[6];  // ES CS SS DS FS GS
  u32 ldt;
  u16 trap, io_map;
};
static_assert(sizeof(Tss) == 104);
constexpr u64 kEipOffset = 0x20, kSelectorEnd = 0x60;  // what a switch stores

u32 error_of(u16 selector) { return selector & 0xFFFCU; }

struct Target {
  u16 selector = 0;
  u64 raw = 0, address = 0;  // its descriptor, and where that is
  Segment segment;
  Tss tss{};
};

bool read_task(Context& context, u16 selector, TaskSwitch how, Target* out) {
  const bool back = how == TaskSwitch::kReturn;
  const u8 vector = back ? kVectorTs : kVectorGp;
  if ((selector & 4) != 0 || (selector & 0xFFFC) == 0) return context.raise(vector, error_of(selector));
  if (!read_descriptor(context, selector, vector, &out->raw, &out->address)) return false;
  const u32 attributes = x86::descriptor_attributes(out->raw);
  if (x86::system_type(attributes) != (back ? x86::kTypeTss32Busy : x86::kTypeTss32))
    return context.raise(vector, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  out->selector = selector;
  out->segment = segment_of(selector, out->raw | kBusy);
  if (out->segment.limit < kLeastLimit) return context.raise(kVectorTs, error_of(selector));
  return read_system(context, out->segment.base, &out->tss, sizeof out->tss);
}

// The old task's registers into its TSS.
bool store_task(Context& context, TaskSwitch how, u64 rip) {
  Tss old{};
  const u64 flags = context.flags();
  old.eip = static_cast<u32>(rip);
  old.eflags = static_cast<u32>(how == TaskSwitch::kReturn ? flags & ~kNt : flags);
  for (unsigned i = 0; i < 8; ++i) old.gpr[i] = static_cast<u32>(context.gpr[i]);
  for (unsigned i = 0; i < kSegmentCount; ++i) old.selector[i] = context.segment[i].selector;
  return write_system(context, context.tr.base + kEipOffset, &old.eip, kSelectorEnd - kEipOffset);
}

// The old task may be entered again, unless the new one is to return to it.
bool release_old(Context& context) {
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, context.tr.selector, kVectorTs, &raw, &address)) return false;
  raw &= ~kBusy;
  return write_system(context, address, &raw, 8);
}

bool nest(Context& context, Target* to) {
  const u16 link = context.tr.selector;
  to->tss.eflags |= static_cast<u32>(kNt);
  return write_system(context, to->segment.base, &link, 2);
}

bool claim_new(Context& context, const Target& to) {
  const u64 busy = to.raw | kBusy;
  return write_system(context, to.address, &busy, 8);
}

// From here on it is the new task that any fault belongs to. Its segments are unusable until they are loaded.
bool load_registers(Context& context, const Target& to) {
  context.tr = to.segment;
  context.cr0 |= kCr0Ts;
  context.dr[7] &= ~kLocalBreakpoints;
  for (unsigned i = 0; i < 8; ++i) context.gpr[i] = to.tss.gpr[i];
  for (unsigned i = 0; i < kSegmentCount; ++i)
    context.segment[i] = {static_cast<u16>(to.tss.selector[i]), x86::kUnusable, 0, 0};
  context.ldtr = {static_cast<u16>(to.tss.ldt), x86::kUnusable, 0, 0};
  context.rip = to.tss.eip;
  context.set_flags(to.tss.eflags & ~kVm);
  context.cpl = static_cast<u8>(to.tss.selector[kCs] & 3);
  return (context.cr0 & kCr0Pg) == 0 || write_cr(context, 3, to.tss.cr3);
}

bool load_code(Context& context, u16 selector) {
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorTs, 0);
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, selector, kVectorTs, &raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  const unsigned rpl = selector & 3U, dpl = x86::dpl(attributes);
  const bool privilege = x86::is_conforming(attributes) ? dpl <= rpl : dpl == rpl;
  if (!x86::is_code(attributes) || !privilege) return context.raise(kVectorTs, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  set_code_segment(context, selector, raw, rpl);
  return true;
}

// What #GP is for an instruction is #TS here.
bool as_task_fault(Context& context, bool loaded) {
  if (!loaded && context.fault.vector == kVectorGp) context.fault.vector = kVectorTs;
  return loaded;
}

bool load_segments(Context& context, const Tss& tss) {
  if (!as_task_fault(context, load_ldt(context, static_cast<u16>(tss.ldt)))) return false;
  if (!load_code(context, static_cast<u16>(tss.selector[kCs]))) return false;
  for (const SegmentIndex index : {kSs, kEs, kDs, kFs, kGs}) {
    if (!as_task_fault(context, load_segment(context, index, static_cast<u16>(tss.selector[index])))) return false;
  }
  return (context.rip <= context.segment[kCs].limit) || context.raise(kVectorGp, 0);
}

bool push_error(Context& context, u32 error) {
  const u64 pointer = (stack_pointer(context) - 4) & stack_mask(context);
  const Segment& stack = context.segment[kSs];
  if (!is_within(stack, pointer, 4)) return context.raise(kVectorSs, 0);
  if (!write_memory(context, (stack.base + pointer) & 0xFFFFFFFF, &error, 4, context.mode())) return false;
  set_stack_pointer(context, pointer);
  return true;
}

bool trap(Context& context) {
  context.dr[6] |= kTaskTrap;
  return context.raise(kVectorDb);
}

bool go(Context& context, u16 selector, TaskSwitch how, u64 rip, const u32* error) {
  const bool nested = how == TaskSwitch::kCall || how == TaskSwitch::kInterrupt;
  Target to;
  if (!read_task(context, selector, how, &to)) return false;
  if (context.tr.limit < kSelectorEnd - 1) return context.raise(kVectorTs, error_of(context.tr.selector));
  if (!store_task(context, how, rip)) return false;
  if (nested ? !nest(context, &to) : !release_old(context)) return false;
  if (how != TaskSwitch::kReturn && !claim_new(context, to)) return false;
  const bool fine = load_registers(context, to) && load_segments(context, to.tss) &&
                    (error == nullptr || push_error(context, *error)) && ((to.tss.trap & 1) == 0 || trap(context));
  if (!fine) deliver_fault(context);
  return true;
}

}  // namespace

bool enter_task_gate(Context& context, u16 selector, u64 gate, TaskSwitch how, u64 rip) {
  const u32 attributes = x86::descriptor_attributes(gate);
  if (x86::dpl(attributes) < context.cpl || x86::dpl(attributes) < (selector & 3U))
    return context.raise(kVectorGp, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  return switch_task(context, static_cast<u16>(gate >> 16), how, rip);
}

bool switch_task(Context& context, u16 selector, TaskSwitch how, u64 rip) {
  return go(context, selector, how, rip, nullptr);
}

bool switch_task_for_event(Context& context, u16 selector, bool has_error, u32 error) {
  return go(context, selector, TaskSwitch::kInterrupt, context.rip, has_error ? &error : nullptr);
}

bool return_from_task(Context& context, u64 rip) {
  u16 link = 0;
  if (!read_system(context, context.tr.base, &link, 2)) return false;
  if (!go(context, link, TaskSwitch::kReturn, rip, nullptr)) return false;
  allow_nmi(context);
  return true;
}

}  // namespace pileus::engine::bt
