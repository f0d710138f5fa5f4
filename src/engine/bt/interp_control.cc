// Jumps, calls, interrupts by software.
#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/system.h"

namespace pileus::engine::bt {

namespace {

bool is_canonical(u64 value) { return static_cast<u64>(static_cast<i64>(value << 16) >> 16) == value; }

// RIP of a near transfer, cut to the operand size outside of 64-bit mode.
bool go(Exec& e, u64 target) {
  if (!e.context.code64()) target &= mask_of(e.insn.info.operand_width);
  else if (!is_canonical(target)) return e.context.raise(kVectorGp, 0);
  e.next = target;
  return true;
}

u64 relative_target(Exec& e) { return e.context.rip + e.insn.info.length + static_cast<u64>(e.operand(0).imm.value.s); }

bool is_far(Exec& e) { return e.insn.info.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR; }

// Selector and offset of a far transfer.
bool far_target(Exec& e, u16* selector, u64* offset) {
  const ZydisDecodedOperand& operand = e.operand(0);
  if (operand.type == ZYDIS_OPERAND_TYPE_POINTER) {
    *selector = operand.ptr.segment;
    *offset = operand.ptr.offset;
    return true;
  }
  const unsigned bytes = e.insn.info.operand_width / 8;
  u64 linear = 0;
  *offset = 0;
  if (!linear_address(e, operand, bytes + 2, &linear)) return false;
  const Mode mode = e.context.mode();
  return read_memory(e.context, linear, offset, bytes, mode) && read_value(e.context, linear + bytes, selector, mode);
}

bool near_target(Exec& e, u64* target) {
  if (e.operand(0).type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    *target = relative_target(e);
    return true;
  }
  return read_operand(e, 0, target);
}

bool software_interrupt(Exec& e, u8 vector, EventSource source = EventSource::kSoftware) {
  const u64 rip = e.context.rip;
  e.context.rip = e.next;
  if (!deliver_interrupt(e.context, vector, source)) {
    e.context.rip = rip;
    return false;
  }
  e.next = e.context.rip;
  return true;
}

}  // namespace

bool condition_holds(u64 flags, unsigned condition) {
  const bool cf = (flags & kFlagCf) != 0, zf = (flags & kFlagZf) != 0, sf = (flags & kFlagSf) != 0,
             of = (flags & kFlagOf) != 0, pf = (flags & kFlagPf) != 0;
  bool holds = false;
  switch (condition >> 1) {
    case 0: holds = of; break;
    case 1: holds = cf; break;
    case 2: holds = zf; break;
    case 3: holds = cf || zf; break;
    case 4: holds = sf; break;
    case 5: holds = pf; break;
    case 6: holds = sf != of; break;
    default: holds = zf || sf != of;
  }
  return holds != ((condition & 1) != 0);
}

bool op_jmp(Exec& e) {
  if (is_far(e)) {
    u16 selector = 0;
    u64 offset = 0;
    if (!far_target(e, &selector, &offset) || !far_jump(e.context, selector, offset, e.next)) return false;
    e.next = e.context.rip;
    return true;
  }
  u64 target = 0;
  return near_target(e, &target) && go(e, target);
}

bool op_call(Exec& e) {
  const unsigned bytes = e.insn.info.operand_width / 8;
  if (is_far(e)) {
    u16 selector = 0;
    u64 offset = 0;
    if (!far_target(e, &selector, &offset)) return false;
    if (!far_call(e.context, selector, offset, e.insn.info.operand_width, e.next)) return false;
    e.next = e.context.rip;
    return true;
  }
  u64 target = 0;
  const u64 back = e.next;
  if (!near_target(e, &target)) return false;
  if (!e.context.code64()) return go(e, target) && push(e, back, bytes);
  // As processors do: where the target is not canonical, the return address has been written all the same.
  const u64 pointer = stack_pointer(e.context);
  if (!push(e, back, bytes)) return false;
  if (go(e, target)) return true;
  set_stack_pointer(e.context, pointer);
  return false;
}

bool op_ret(Exec& e) {
  const unsigned bytes = e.insn.info.operand_width / 8;
  const bool extra = e.operand(0).type == ZYDIS_OPERAND_TYPE_IMMEDIATE && e.insn.info.operand_count_visible > 0;
  const auto more = static_cast<unsigned>(extra ? e.operand(0).imm.value.u & 0xFFFF : 0);
  if (is_far(e)) {
    if (!far_return(e.context, e.insn.info.operand_width, more)) return false;
    e.next = e.context.rip;
    return true;
  }
  u64 target = 0;
  const u64 pointer = stack_pointer(e.context);
  if (!read_stack(e, pointer, bytes, &target) || !go(e, target)) return false;
  set_stack_pointer(e.context, pointer + bytes + more);
  return true;
}

bool op_jcc(Exec& e) {
  return !condition_holds(e.context.rflags, e.insn.info.opcode & 15) || go(e, relative_target(e));
}

bool op_jcxz(Exec& e) {
  const bool zero = (e.context.gpr[kRcx] & mask_of(e.insn.info.address_width)) == 0;
  return !zero || go(e, relative_target(e));
}

bool op_loop(Exec& e) {
  const u64 mask = mask_of(e.insn.info.address_width);
  const u64 count = (e.context.gpr[kRcx] - 1) & mask;
  const bool zf = (e.context.rflags & kFlagZf) != 0;
  bool taken = count != 0;
  if (e.insn.info.mnemonic == ZYDIS_MNEMONIC_LOOPE) taken = taken && zf;
  if (e.insn.info.mnemonic == ZYDIS_MNEMONIC_LOOPNE) taken = taken && !zf;
  if (taken && !go(e, relative_target(e))) return false;
  e.context.gpr[kRcx] = mask == 0xFFFF ? (e.context.gpr[kRcx] & ~mask) | count : count;
  return true;
}

bool op_int(Exec& e) {
  const bool breakpoint = e.insn.info.mnemonic == ZYDIS_MNEMONIC_INT3;
  return software_interrupt(e, breakpoint ? u8{kVectorBp} : static_cast<u8>(e.operand(0).imm.value.u));
}

bool op_int1(Exec& e) { return software_interrupt(e, kVectorDb, EventSource::kPrivilegedSoftware); }

bool op_into(Exec& e) { return (e.context.rflags & kFlagOf) == 0 || software_interrupt(e, kVectorOf); }

bool op_iret(Exec& e) {
  if (!do_iret(e.context, e.insn.info.operand_width, e.next)) return false;
  e.next = e.context.rip;
  return true;
}

bool op_syscall(Exec& e) {
  if (!do_syscall(e.context, e.next)) return false;
  e.next = e.context.rip;
  return true;
}

bool op_sysret(Exec& e) {
  if (!do_sysret(e.context, e.insn.info.raw.rex.W != 0 ? 64 : 32)) return false;
  e.next = e.context.rip;
  return true;
}

bool op_sysenter(Exec& e) {
  if (!do_sysenter(e.context)) return false;
  e.next = e.context.rip;
  return true;
}

bool op_sysexit(Exec& e) {
  if (!do_sysexit(e.context, e.insn.info.raw.rex.W != 0 ? 64 : 32)) return false;
  e.next = e.context.rip;
  return true;
}

}  // namespace pileus::engine::bt
