// BT, BTS, BTR and BTC of a string of bits in memory: the bit's number is in a register and reaches beyond the operand.
// But for CF, which they set, all of this leaves the flags alone, as they do on the processors we know.
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

namespace {
constexpr u64 kSaved = offsetof(Context, scratch) + 24;
}  // namespace

// The address of the word with the bit in T0.
void BlockEmitter::bit_word_to_t0(const TraceInsn& at, unsigned number, bool wide) {
  if (is_spilled(number)) load_guest(kT1, number);
  const unsigned from = is_spilled(number) ? kT1 : host_register(number);
  if (wide) out_.mov(kT1, from);
  else out_.movsxd(kT1, from);
  out_.mov_imm32(kT0, wide ? 6 : 5);
  out_.sarx(kT1, kT1, kT0);
  out_.store_gs(kSaved, kT1);
  address_to_t0(out_, guest_operand(at));
  out_.load_gs(kT1, kSaved);
  out_.lea(kT0, kT0, kT1, wide ? 8 : 4, 0);
}

void BlockEmitter::bit_test(const TraceInsn& at) {
  const ZydisDecodedInstruction& info = at.insn.info;
  const bool wide = info.operand_width == 64;
  const bool write = info.mnemonic != ZYDIS_MNEMONIC_BT;
  const u64 tlb = tlb_offset(block_.mode(), write);
  bool high = false;
  const unsigned number = gpr_number(at.insn.operand[1].reg.value, &high);
  SlowStub slow(index_);

  bit_word_to_t0(at, number, wide);
  out_.store_gs(kSaved, kT0);
  out_.pext_gs(kT1, kT0, offsetof(Context, index_mask));
  out_.load_gs_indexed(kT1, kT1, tlb + offsetof(Tlb, neg_tag));
  out_.lea(kT0, kT0, kT1, 1, wide ? 7 : 3);
  out_.pext_gs(kT0, kT0, offsetof(Context, page_mask));
  unless_zero(slow);
  out_.load_gs(kT0, kSaved);
  out_.pext_gs(kT1, kT0, offsetof(Context, index_mask));
  out_.load_gs_indexed(kT1, kT1, tlb + offsetof(Tlb, addend));
  out_.lea(kT0, kT0, kT1, 1, 0);
  if (is_spilled(number)) load_guest(kT1, number);
  out_.pext_gs(kT1, is_spilled(number) ? kT1 : host_register(number),
               offsetof(Context, bit_mask) + (wide ? sizeof(u64) : 0));
  if ((info.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0) out_.byte(0xF0);
  out_.byte((wide ? 0x48U : 0x40U) | (kT1 >> 3) << 2), out_.byte(0x0F), out_.byte(info.opcode);
  out_.operand(kT1, kT0, Assembler::kNone, 1, 0);
  slow.back = out_.at();
  slow_stubs_.push_back(slow);
}

}  // namespace pileus::engine::bt
