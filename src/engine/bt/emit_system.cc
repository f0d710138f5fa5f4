// System instructions that kernels execute at every entry and exit, in line. None of them touches the flags.
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

namespace {
constexpr unsigned kRdx = 2;
constexpr u64 kGsBase = offsetof(Context, segment) + kGs * sizeof(Segment) + offsetof(Segment, base);
}  // namespace

// STAC and CLAC: on with code for the other mode.
void BlockEmitter::set_ac(const TraceInsn& at) {
  const bool on = at.insn.info.mnemonic == ZYDIS_MNEMONIC_STAC;
  out_.store_gs8(offsetof(Context, ac_flag), on ? 1 : 0);
  exit_to(at.page_offset + at.insn.info.length, 0, on ? kModeKernelAc : kModeKernel);
}

void BlockEmitter::swap_gs() {
  out_.load_gs(kT0, kGsBase);
  out_.load_gs(kT1, offsetof(Context, kernel_gs_base));
  out_.store_gs(kGsBase, kT1);
  out_.store_gs(offsetof(Context, kernel_gs_base), kT0);
}

void BlockEmitter::read_tsc(const TraceInsn& at) {
  const bool with_aux = at.insn.info.mnemonic == ZYDIS_MNEMONIC_RDTSCP;
  out_.byte(0x0F);
  if (with_aux) out_.byte(0x01), out_.byte(0xF9);  // overwrites RCX, which is a temporary
  else out_.byte(0x31);
  out_.rorx(kRdx, kRdx, 32);
  out_.lea(kRax, kRax, kRdx, 1, 0);
  out_.load_gs(kT0, offsetof(Context, tsc_offset));
  out_.lea(kRax, kRax, kT0, 1, 0);
  out_.rorx(kRdx, kRax, 32);
  out_.mov32(kRdx, kRdx);
  out_.mov32(kRax, kRax);
  if (with_aux) out_.load_gs32(kHostRcx, offsetof(Context, tsc_aux));
}

void BlockEmitter::read_control(const TraceInsn& at) {
  const bool fault_address = at.insn.operand[1].reg.value == ZYDIS_REGISTER_CR2;
  const u64 field = fault_address ? offsetof(Context, cr2) : offsetof(Context, cr3);
  bool high = false;
  const unsigned guest = gpr_number(at.insn.operand[0].reg.value, &high);
  out_.load_gs(is_spilled(guest) ? kT0 : host_register(guest), field);
  if (is_spilled(guest)) store_guest(guest, kT0);
}

void BlockEmitter::read_selector(const TraceInsn& at) {
  const unsigned index = static_cast<unsigned>(at.insn.operand[1].reg.value - ZYDIS_REGISTER_ES);
  bool high = false;
  const unsigned guest = gpr_number(at.insn.operand[0].reg.value, &high);
  out_.load_gs_word(is_spilled(guest) ? kT0 : host_register(guest),
                    offsetof(Context, segment) + index * sizeof(Segment) + offsetof(Segment, selector));
  if (is_spilled(guest)) store_guest(guest, kT0);
}

// An interrupt that waits already has to wait for the next instruction too, which may be in another block: that is for the
// interpreter. One that comes later is seen where all are.
void BlockEmitter::set_if() {
  SlowStub slow(index_);
  out_.load_gs32(kT0, offsetof(Context, irq_waiting));
  unless_zero(slow);
  out_.store_gs8(offsetof(Context, if_flag), 1);
  slow.back = out_.at();
  slow_stubs_.push_back(slow);
}

// Puts the flags together by means that leave the host's alone: their parts have no bits in common, so adding them up
// by LEA does.
void BlockEmitter::push_flags(const TraceInsn& at) {
  constexpr unsigned kIfBit = 9, kDfBit = 10, kAcBit = 18;
  const auto add_byte = [this](u64 field, unsigned bit) {
    out_.load_gs_byte(kT1, field);
    out_.rorx(kT1, kT1, 64 - bit);
    out_.lea(kT0, kT0, kT1, 1, 0);
  };
  out_.byte(0x9C);  // pushfq, onto the return stack
  out_.pop(kT0);
  out_.pext_gs(kT0, kT0, offsetof(Context, flag_mask));
  out_.pdep_gs(kT0, kT0, offsetof(Context, flag_mask));
  out_.load_gs(kT1, offsetof(Context, rflags));
  out_.pext_gs(kT1, kT1, offsetof(Context, pushed_mask));
  out_.pdep_gs(kT1, kT1, offsetof(Context, pushed_mask));
  const i32 ac = block_.mode() == kModeKernelAc ? 1 << kAcBit : 0;
  out_.lea(kT0, kT0, kT1, 1, 2 + ac);
  add_byte(offsetof(Context, if_flag), kIfBit);
  add_byte(offsetof(Context, df_flag), kDfBit);
  if (block_.mode() == kModeUser) add_byte(offsetof(Context, ac_flag), kAcBit);
  out_.store_gs(offsetof(Context, scratch) + 24, kT0);
  const HostOperand to = probe(at, stack_operand(-8), 8, true);
  out_.load_gs(kT0, offsetof(Context, scratch) + 24);
  out_.store(to.base, to.index, to.displacement, kT0);
  out_.lea(kHostRsp, kHostRsp, -8);
}

}  // namespace pileus::engine::bt
