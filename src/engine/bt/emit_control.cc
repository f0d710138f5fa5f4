// Calls, jumps, branches and returns.
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

// Page offset of a direct branch's target; outside of 0-4095 on another page.
i32 BlockEmitter::branch_target(const TraceInsn& at) {
  return at.page_offset + at.insn.info.length + static_cast<i32>(at.insn.operand[0].imm.value.s);
}

// To another page, by way of the jump cache, since that page may be mapped differently another time.
void BlockEmitter::far_exit(Assembler& out, i32 target, Mode mode) {
  out.load_gs(kT0, offsetof(Context, vpage));
  out.lea(kT0, kT0, target);
  emit_indirect_jump(out, mode, stubs_);
}

// Whether ways to other pages can be linked: see far_links.h.
bool BlockEmitter::links_far() const { return block_.mode() == kModeKernel; }

// Has Context::vpage be that of the target's page, which is `distance` from the address in T0.
void BlockEmitter::enter_page(i32 distance) {
  out_.lea(kT0, kT0, distance);
  out_.store_gs(offsetof(Context, vpage), kT0);
}

void BlockEmitter::exit_to(i32 target, unsigned number, Mode mode) {
  const bool far = !on_page(target);
  if (far && (!links_far() || mode != block_.mode())) {
    far_exit(out_, target, mode);
    return;
  }
  if (far) {
    out_.load_gs(kT0, offsetof(Context, vpage));
    enter_page(page_of(target));
  }
  out_.align_displacement(1);
  exit_stubs_.push_back({out_.jmp(), target, number, mode});
}

// Every loop goes back somewhere: there it can be interrupted. Ways through the jump cache poll on their own.
void BlockEmitter::poll_backward(const TraceInsn& at, i32 target) {
  if (target <= at.page_offset && (on_page(target) || links_far()))
    poll(at.page_offset, offsetof(Context, exit_request));
}

void BlockEmitter::jump(const TraceInsn& at) {
  const i32 target = branch_target(at);
  poll_backward(at, target);
  exit_to(target, 0);
}

void BlockEmitter::branch(const TraceInsn& at) {
  const i32 target = branch_target(at);
  poll_backward(at, target);
  const unsigned condition = at.insn.info.opcode & 15;
  if (on_page(target)) {
    out_.align_displacement(2);
    exit_stubs_.push_back({out_.jcc(condition), target, 1, block_.mode()});
  } else if (links_far()) {
    u8* past = out_.jcc(condition ^ 1);
    exit_to(target, 1);
    if (!out_.overflowed()) Assembler::patch(past, out_.at());
  } else {
    far_stubs_.push_back({out_.jcc(condition), target});
  }
  exit_to(at.page_offset + at.insn.info.length, 0);
}

// LOOP and JRCXZ, 64-bit count.
void BlockEmitter::count_branch(const TraceInsn& at) {
  const i32 target = branch_target(at);
  const bool loop = at.insn.info.opcode == 0xE2;
  poll_backward(at, target);
  if (loop) out_.lea(kHostRcx, kHostRcx, -1);
  out_.mov(kT0, kHostRcx);
  out_.jrcxz(0);
  u8* zero = out_.at() - 1;
  // Not zero: LOOP goes to its target, JRCXZ on. Both ways are jumps out of line, so the short distance suffices.
  const i32 next = at.page_offset + at.insn.info.length;
  const auto way = [&](i32 to, unsigned number) {
    if (on_page(to)) {
      out_.align_displacement(1);
      exit_stubs_.push_back({out_.jmp(), to, number, block_.mode()});
    } else {
      far_stubs_.push_back({out_.jmp(), to});
    }
  };
  way(loop ? target : next, loop ? 1 : 0);
  if (!out_.overflowed()) *zero = static_cast<u8>(out_.at() - (zero + 1));
  way(loop ? next : target, loop ? 0 : 1);
}

void BlockEmitter::push_return(const TraceInsn& at) {
  const HostOperand to = probe_stack(at, -8, true);
  out_.load_gs(kT0, offsetof(Context, vpage));
  out_.lea(kT0, kT0, at.page_offset + at.insn.info.length);
  out_.store(to.base, to.index, to.displacement, kT0);
  out_.lea(kHostRsp, kHostRsp, -8);
}

// Behind a host CALL: a guest RET comes here by a host RET, with the guest RIP to return to in T0 (return_stack.h).
void BlockEmitter::landing(const TraceInsn& at) {
  const i32 next = at.page_offset + at.insn.info.length;
  out_.pop(kT1);  // vpage when the call was made
  out_.invert(kT1);
  out_.lea(kT0, kT0, kT1, 1, 1 - next);
  out_.jrcxz(5);
  elsewhere_stubs_.push_back({out_.jmp(), next});
  out_.invert(kT1);
  out_.store_gs(offsetof(Context, vpage), kT1);
  exit_to(next, 1);
}

void BlockEmitter::call(const TraceInsn& at) {
  const i32 target = branch_target(at);
  const i32 next = at.page_offset + at.insn.info.length;
  const bool links = !on_page(target) && links_far();
  // Calls that only go forward come to an end, but that may be far away. Those through the jump cache poll on their own.
  if (on_page(target) || links) poll(at.page_offset, offsetof(Context, exit_request));
  push_return(at);
  if (block_.mode() == kModeKernelAc) {
    exit_to(target, 0);
    return;
  }
  out_.push_gs(offsetof(Context, vpage));
  if (links) enter_page(page_of(target) - next);  // T0 has the return address
  if (on_page(target) || links) {
    out_.align_displacement(1);
    exit_stubs_.push_back({out_.call(), target, 0, block_.mode()});
  } else {
    out_.load_gs(kT0, offsetof(Context, vpage));
    out_.lea(kT0, kT0, target);
    emit_indirect_call(out_, block_.mode());
  }
  landing(at);
}

// Leaves the target of an indirect branch in T0.
void BlockEmitter::target_to_t0(const TraceInsn& at) {
  if (at.memory_operand >= 0) {
    const HostOperand from = probe(at, guest_operand(at), 8, false, Room::kBoth);
    out_.load(kT0, from.base, from.index, from.displacement);
    return;
  }
  bool high = false;
  const unsigned guest = gpr_number(at.insn.operand[0].reg.value, &high);
  if (is_spilled(guest)) load_guest(kT0, guest);
  else out_.mov(kT0, host_register(guest));
}

void BlockEmitter::call_indirect(const TraceInsn& at) {
  target_to_t0(at);
  out_.store_gs(offsetof(Context, scratch) + 24, kT0);
  push_return(at);
  const bool plain = block_.mode() == kModeKernelAc;
  if (!plain) out_.push_gs(offsetof(Context, vpage));
  out_.load_gs(kT0, offsetof(Context, scratch) + 24);
  if (plain) {
    emit_indirect_jump(out_, block_.mode(), stubs_);
    return;
  }
  emit_indirect_call(out_, block_.mode());
  landing(at);
}

void BlockEmitter::jump_indirect(const TraceInsn& at) {
  target_to_t0(at);
  emit_indirect_jump(out_, block_.mode(), stubs_);
}

void BlockEmitter::ret(const TraceInsn& at) {
  const HostOperand from = probe_stack(at, 0, false);
  const bool pops_more = at.insn.operand[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
                         at.insn.operand[0].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
  const i32 extra = pops_more ? static_cast<i32>(at.insn.operand[0].imm.value.u) : 0;
  out_.load(kT0, from.base, from.index, from.displacement);
  out_.lea(kHostRsp, kHostRsp, 8 + extra);
  if (block_.mode() == kModeKernelAc) emit_indirect_jump(out_, block_.mode(), stubs_);
  else out_.ret();
}

}  // namespace pileus::engine::bt
