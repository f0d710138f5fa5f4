// Guest memory operands: address computation and the inline TLB probe.
#include <bit>
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

namespace {

// Whether an exception of the instruction itself comes before the fault of its memory operand: one that x87 has pending, one
// of the conversion whose result is to be stored.
bool has_own_fault(const Insn& insn) { return waits_for_x87(insn) || insn.info.mnemonic == ZYDIS_MNEMONIC_VCVTPS2PH; }

// Whether the processor looks at the operand's alignment, or may, before it looks for the page.
bool wants_aligned(const Insn& insn, unsigned size) {
  return needs_alignment(insn, size) || (size >= 16 && insn.info.meta.isa_ext == ZYDIS_ISA_EXT_SHA);
}

}  // namespace

BlockEmitter::GuestOperand BlockEmitter::stack_operand(i32 displacement) {
  GuestOperand operand;
  operand.base = kRsp;
  operand.displacement = displacement;
  return operand;
}

BlockEmitter::GuestOperand BlockEmitter::guest_operand(const TraceInsn& at) {
  const ZydisDecodedOperandMem& mem = at.insn.operand[static_cast<std::size_t>(at.memory_operand)].mem;
  GuestOperand operand;
  bool high = false;
  operand.displacement = static_cast<i32>(mem.disp.has_displacement ? mem.disp.value : 0);
  if (mem.base == ZYDIS_REGISTER_RIP || mem.base == ZYDIS_REGISTER_EIP) {
    operand.rip_relative = true;
    operand.displacement += at.page_offset + at.insn.info.length;
  } else if (mem.base != ZYDIS_REGISTER_NONE) {
    operand.base = gpr_number(mem.base, &high);
  }
  if (mem.index != ZYDIS_REGISTER_NONE) {
    operand.index = gpr_number(mem.index, &high);
    operand.scale = mem.scale;
  }
  if (mem.segment == ZYDIS_REGISTER_FS)
    operand.segment_base = offsetof(Context, segment) + kFs * sizeof(Segment) + offsetof(Segment, base);
  if (mem.segment == ZYDIS_REGISTER_GS)
    operand.segment_base = offsetof(Context, segment) + kGs * sizeof(Segment) + offsetof(Segment, base);
  operand.narrow = at.insn.info.address_width == 32;
  return operand;
}

// base + displacement alone: the host can add the TLB's addend in its own addressing.
bool BlockEmitter::is_simple(const GuestOperand& operand) const {
  return operand.base != kNoReg && !is_spilled(operand.base) && operand.index == kNoReg && operand.segment_base == 0 &&
         !operand.narrow && !operand.rip_relative && operand.displacement < 0x7FFFF000;
}

// Whether to look at Tlb::stack alone. The probe for it wants aligned operands, which so cannot reach into the next page.
bool BlockEmitter::is_stack_slot(const GuestOperand& operand, unsigned size) {
  return operand.base == kRsp && size <= 8 && std::has_single_bit(size) &&
         operand.displacement % static_cast<i32>(size) == 0;
}

void BlockEmitter::address_to_t0(Assembler& out, const GuestOperand& operand) {
  unsigned base = Assembler::kNone;
  unsigned index = Assembler::kNone;
  if (operand.rip_relative) {
    out.load_gs(kT0, offsetof(Context, vpage));
    base = kT0;
  } else if (operand.base != kNoReg) {
    base = is_spilled(operand.base) ? kT0 : host_register(operand.base);
    if (is_spilled(operand.base)) load_guest(out, kT0, operand.base);
  }
  if (operand.index != kNoReg) {
    index = is_spilled(operand.index) ? kT1 : host_register(operand.index);
    if (is_spilled(operand.index)) load_guest(out, kT1, operand.index);
  }
  out.lea(kT0, base, index, operand.scale, operand.displacement, !operand.narrow);
  if (operand.segment_base != 0) {
    out.load_gs(kT1, operand.segment_base);
    out.lea(kT0, kT0, kT1, 1, 0);
  }
}

// Leaves flags alone where at.flags_live. Clobbers T0 and T1. The result uses T1 and possibly the base register, or,
// with Room::kFirst or for other than simple operands, T0; with Room::kBoth then T1 as well, which makes the way from the
// address to the data shorter.
BlockEmitter::HostOperand BlockEmitter::probe(const TraceInsn& at, const GuestOperand& operand, unsigned size,
                                              bool write, Room room) {
  if (const Sharing& sharing = groups_.operand[index_]; sharing.role != Sharing::Role::kAlone) {
    CHECK(room != Room::kFirst);  // what has no room for T1 is in no group
    return shared_operand(at, sharing, operand.displacement);
  }
  const u8* start = out_.at();
  const u64 tlb = tlb_offset(block_.mode(), write);
  const u64 neg_tag = tlb + offsetof(Tlb, neg_tag);
  const bool simple = is_simple(operand) && room != Room::kFirst;
  const unsigned base = simple ? host_register(operand.base) : kT0;
  const bool stack = simple && is_stack_slot(operand, size);
  u8* miss = nullptr;
  u64 mask = offsetof(Context, page_mask);
  if (stack) {
    out_.load_gs(kT0, tlb + offsetof(Tlb, stack) + offsetof(Tlb::Stack, neg_tag));
    out_.lea(kT0, base, kT0, 1, operand.displacement);
    mask = offsetof(Context, stack_mask) + u64{8} * static_cast<unsigned>(std::countr_zero(size));
  } else if (simple) {
    if (operand.displacement != 0) {
      out_.lea(kT1, base, operand.displacement);
      out_.pext_gs(kT1, kT1, offsetof(Context, index_mask));
    } else {
      out_.pext_gs(kT1, base, offsetof(Context, index_mask));
    }
    out_.load_gs_indexed(kT0, kT1, neg_tag);
    const i32 extra = at.flags_live ? static_cast<i32>(size) - 1 : 0;
    out_.lea(kT0, base, kT0, 1, operand.displacement + extra);
  } else {
    address_to_t0(out_, operand);
    out_.pext_gs(kT1, kT0, offsetof(Context, index_mask));
    if (at.flags_live) {
      out_.load_gs_indexed(kT1, kT1, neg_tag);
      out_.lea(kT0, kT0, kT1, 1, static_cast<i32>(size) - 1);
    } else {
      out_.add_gs_indexed(kT0, kT1, neg_tag);
    }
  }
  if (at.flags_live) {
    out_.pext_gs(kT0, kT0, mask);
    out_.jrcxz(5);
    miss = out_.jmp();
  } else {
    out_.cmp_imm(kT0, static_cast<i32>(4096 - size));
    miss = out_.jcc(7);  // ja
  }
  const Recover recover = simple ? Recover::kLea : at.flags_live ? Recover::kAgain : Recover::kDiff;
  memory_stubs_.push_back({start, miss, static_cast<u16>(index_), static_cast<u8>(size), write, stack,
                           has_own_fault(at.insn), stack || wants_aligned(at.insn, size), recover, operand});
  if (stack) {
    out_.load_gs(kT1, tlb + offsetof(Tlb, stack) + offsetof(Tlb::Stack, addend));
    return {base, kT1, operand.displacement};
  }
  if (simple) {
    out_.load_gs_indexed(kT1, kT1, tlb + offsetof(Tlb, addend));
    return {base, kT1, operand.displacement};
  }
  if (at.flags_live) {
    // The address once more: that costs less than to keep it, and the way to the data gets shorter.
    address_to_t0(out_, operand);
    out_.pext_gs(kT1, kT0, offsetof(Context, index_mask));
    out_.load_gs_indexed(kT1, kT1, tlb + offsetof(Tlb, addend));
    if (room == Room::kBoth) return {kT0, kT1, 0};
    out_.lea(kT0, kT0, kT1, 1, 0);
  } else if (room == Room::kBoth) {
    out_.load_gs_indexed(kT1, kT1, tlb + offsetof(Tlb, host_page));
    return {kT0, kT1, 0};
  } else {
    out_.add_gs_indexed(kT0, kT1, tlb + offsetof(Tlb, host_page));
  }
  return {kT0, Assembler::kNone, 0};
}

void BlockEmitter::emit_memory_stub(const MemoryStub& stub) {
  Assembler::patch(stub.jump, cold_.at());
  if (stub.stack && stub.size == 8) {
    const unsigned base = host_register(stub.operand.base);
    cold_.lea(kT0, base, stub.operand.displacement);
    cold_.call(stubs_.use_for_stack[block_.mode()][stub.write ? 1 : 0]);
    cold_.jrcxz(5);
    u8* miss = cold_.jmp();
    cold_.jmp(stub.probe);
    if (!cold_.overflowed()) Assembler::patch(miss, cold_.at());
  }
  switch (stub.recover) {
    case Recover::kLea: cold_.lea(kT0, host_register(stub.operand.base), stub.operand.displacement); break;
    case Recover::kAgain: address_to_t0(cold_, stub.operand); break;
    case Recover::kDiff:  // T0 = address + neg_tag; flags are dead
      cold_.op_gs_indexed(0x2B, kT0, kT1, tlb_offset(block_.mode(), stub.write) + offsetof(Tlb, neg_tag));
      break;
  }
  const unsigned flags = (stub.write ? unsigned{kSiteWrites} : 0U) | (stub.stack ? unsigned{kSiteStack} : 0U) |
                         (stub.own_fault ? unsigned{kSiteOwnFault} : 0U) | (stub.aligned ? unsigned{kSiteAligned} : 0U);
  emit_site(cold_, stubs_.memory, stub.insn, stub.size, static_cast<u8>(flags));
}

}  // namespace pileus::engine::bt
