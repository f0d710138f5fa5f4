// REP STOS and REP MOVS in line, as far as they stay in one page. None of this touches the flags.
//
// Kernels clear and copy in small pieces all the time (GCC clears variables by REP STOSQ, memcpy() is REP MOVSB), so the
// way through C++ costs several times what the work does. What reaches into another page, runs backwards, misses the TLB or
// has nothing to do goes that way.
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

namespace {
constexpr u64 kSourceAddend = offsetof(Context, scratch) + 24;
}  // namespace

void BlockEmitter::unless_zero(SlowStub& slow) {
  out_.jrcxz(5);
  slow.jump[slow.jumps++] = out_.jmp();
}

// DF is clear, and there are 1 to 4096 elements.
void BlockEmitter::check_count(SlowStub& slow) {
  out_.lea(kT0, kHostRcx, -1);
  out_.pext_gs(kT0, kT0, offsetof(Context, page_mask));
  out_.load_gs_byte(kT1, offsetof(Context, df_flag));
  out_.lea(kT0, kT0, kT1, 1, 0);
  unless_zero(slow);
}

// What `pointer` leads to ends in the page, which the TLB has; its addend is in T1 then.
void BlockEmitter::check_piece(SlowStub& slow, unsigned pointer, unsigned size, bool write) {
  const u64 tlb = tlb_offset(block_.mode(), write);
  out_.pext_gs(kT1, pointer, offsetof(Context, offset_mask));
  out_.lea(kT0, kT1, kHostRcx, size, -1);
  out_.pext_gs(kT0, kT0, offsetof(Context, page_mask));
  unless_zero(slow);
  out_.pext_gs(kT1, pointer, offsetof(Context, index_mask));
  out_.load_gs_indexed(kT0, kT1, tlb + offsetof(Tlb, neg_tag));
  out_.lea(kT0, pointer, kT0, 1, 0);
  out_.pext_gs(kT0, kT0, offsetof(Context, page_mask));
  unless_zero(slow);
  out_.load_gs_indexed(kT1, kT1, tlb + offsetof(Tlb, addend));
}

// The instruction itself, with RDI at the host's address: T1 is the addend. RCX ends as 0.
void BlockEmitter::run_string(const TraceInsn& at, unsigned size) {
  out_.mov(kT0, kHostRcx);
  out_.lea(kHostRcx, kRdi, kHostRcx, size, 0);  // RDI behind it
  out_.lea(kRdi, kRdi, kT1, 1, 0);
  if (size == 2) out_.byte(0x66);
  out_.byte(0xF3);
  if (size == 8) out_.byte(0x48);
  out_.byte(at.insn.info.opcode);
  out_.mov(kRdi, kHostRcx);
  out_.mov_imm32(kHostRcx, 0);
}

void BlockEmitter::string_store(const TraceInsn& at) {
  const unsigned size = at.insn.operand[0].size / 8U;
  SlowStub slow(index_);
  check_count(slow);
  check_piece(slow, kRdi, size, true);
  run_string(at, size);
  slow.back = out_.at();
  slow_stubs_.push_back(slow);
}

void BlockEmitter::string_copy(const TraceInsn& at) {
  const unsigned size = at.insn.operand[0].size / 8U;
  SlowStub slow(index_);
  check_count(slow);
  check_piece(slow, kRsi, size, false);
  out_.store_gs(kSourceAddend, kT1);
  check_piece(slow, kRdi, size, true);
  out_.load_gs(kT0, kSourceAddend);
  out_.lea(kRsi, kRsi, kT0, 1, 0);
  run_string(at, size);
  out_.load_gs(kT0, kSourceAddend);
  out_.invert(kT0);  // one less than its negative
  out_.lea(kRsi, kRsi, kT0, 1, 1);
  slow.back = out_.at();
  slow_stubs_.push_back(slow);
}

}  // namespace pileus::engine::bt
