// Copies: the guest's own instruction, with guest registers renamed to where they live and the memory operand replaced.
//
// Encoding: Intel SDM vol. 2, chapter 2. Prefixes, opcode and immediate bytes stay; REX, ModRM, SIB and displacement are
// made anew.
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

namespace {

struct RegisterUse {
  unsigned guest = kNoReg;
  bool read = false;
  bool written = false;
  bool high = false;
};

// The explicit general registers of an instruction by the encoding field they stand in.
struct Uses {
  RegisterUse reg;  // ModRM.reg
  RegisterUse rm;  // ModRM.rm
  RegisterUse opcode;  // low bits of the opcode
  RegisterUse vvvv;  // VEX.vvvv
  bool implicit_rcx = false;
  bool implicit_rcx_written = false;  // PCMPISTRI and PCMPESTRI
  bool any_high = false;
  bool any_rcx = false;
  bool any_spilled = false;
};

Uses find_uses(const Insn& insn) {
  Uses uses;
  for (unsigned i = 0; i < insn.info.operand_count; ++i) {
    const ZydisDecodedOperand& operand = insn.operand[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
    RegisterUse use;
    use.guest = gpr_number(operand.reg.value, &use.high);
    if (use.guest == kNoReg) continue;
    if (operand.visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT ||
        (operand.encoding != ZYDIS_OPERAND_ENCODING_MODRM_REG && operand.encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM &&
         operand.encoding != ZYDIS_OPERAND_ENCODING_OPCODE && operand.encoding != ZYDIS_OPERAND_ENCODING_NDSNDD)) {
      uses.implicit_rcx |= use.guest == kRcx;
      uses.implicit_rcx_written |= use.guest == kRcx && (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
      continue;
    }
    // A partial write keeps the rest of the register, so anything written is loaded before.
    use.written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    use.read = true;
    uses.any_high |= use.high;
    uses.any_rcx |= use.guest == kRcx;
    uses.any_spilled |= is_spilled(use.guest);
    if (operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG) uses.reg = use;
    if (operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM) uses.rm = use;
    if (operand.encoding == ZYDIS_OPERAND_ENCODING_OPCODE) uses.opcode = use;
    if (operand.encoding == ZYDIS_OPERAND_ENCODING_NDSNDD) uses.vvvv = use;
  }
  return uses;
}

// Gives host registers to the general registers of one instruction. Temporaries hold spilled ones.
class Renaming {
 public:
  Renaming(bool rcx_in_place, bool t0_free, bool t1_free)
      : rcx_in_place_(rcx_in_place), t0_free_(t0_free && !rcx_in_place), t1_free_(t1_free) {}

  // False when the temporaries do not suffice.
  bool take(const RegisterUse& use) {
    if (use.guest == kNoReg) return true;
    if (!is_spilled(use.guest)) return true;
    for (Slot& slot : slots_) {
      if (slot.guest == use.guest) {
        slot.written |= use.written;
        return true;
      }
    }
    for (Slot& slot : slots_) {
      if (slot.guest != kNoReg) continue;
      if (t0_free_) {
        slot = {use.guest, kT0, use.written};
        t0_free_ = false;
        return true;
      }
      if (t1_free_) {
        slot = {use.guest, kT1, use.written};
        t1_free_ = false;
        return true;
      }
    }
    return false;
  }
  unsigned host(const RegisterUse& use) const {
    if (use.guest == kRcx && rcx_in_place_) return kT0;
    for (const Slot& slot : slots_) {
      if (slot.guest == use.guest && slot.guest != kNoReg) return slot.host;
    }
    return host_register(use.guest);
  }
  struct Slot {
    unsigned guest = kNoReg;
    unsigned host = kNoReg;
    bool written = false;
  };
  const std::array<Slot, 2>& slots() const { return slots_; }

 private:
  bool rcx_in_place_;
  bool t0_free_;
  bool t1_free_;
  std::array<Slot, 2> slots_;
};

bool is_vex(const ZydisDecodedInstruction& info) { return info.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX; }

// The register numbers as the guest's encoding has them, for fields that name no general register.
unsigned raw_reg(const ZydisDecodedInstruction& info) {
  const bool extended = is_vex(info) ? info.raw.vex.R == 0 : info.raw.rex.R != 0;
  return info.raw.modrm.reg | (extended ? 8U : 0U);
}
unsigned raw_rm(const ZydisDecodedInstruction& info) {
  const bool extended = is_vex(info) ? info.raw.vex.B == 0 : info.raw.rex.B != 0;
  return info.raw.modrm.rm | (extended ? 8U : 0U);
}

// Field number of a register in an encoding: AH..BH are 4-7 without REX.
unsigned field(const Renaming& renaming, const RegisterUse& use) {
  const unsigned host = renaming.host(use);
  return use.high ? host + 4 : host;
}

}  // namespace

// The three-byte form does for all (SDM vol. 2, 2.3.5).
void BlockEmitter::vex_prefix(const ZydisDecodedInstruction& info, const Fields& fields, const HostOperand& operand) {
  const unsigned xb = fields.memory ? Assembler::rex_xb(operand.base, operand.index) : fields.rm >= 8 ? 1U : 0U;
  const unsigned inverted =
      (fields.reg >= 8 ? 0U : 0x80U) | ((xb & 2) != 0 ? 0U : 0x40U) | ((xb & 1) != 0 ? 0U : 0x20U);
  out_.byte(0xC4);
  out_.byte(inverted | info.raw.vex.m_mmmm);
  out_.byte(unsigned{info.raw.vex.W} << 7 | (~fields.vvvv & 15U) << 3 | unsigned{info.raw.vex.L} << 2 |
            info.raw.vex.pp);
}

void BlockEmitter::legacy_prefixes(const ZydisDecodedInstruction& info, const Fields& fields,
                                   const HostOperand& operand, bool drops_rep) {
  for (unsigned i = 0; i < info.raw.prefix_count; ++i) {
    const u8 value = info.raw.prefixes[i].value;
    if (value == 0xF3 && drops_rep) continue;
    if (value == 0x66 || value == 0xF2 || value == 0xF3 || value == 0xF0) out_.byte(value);
  }
  const bool has_modrm = (info.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
  unsigned rex = (info.attributes & ZYDIS_ATTRIB_HAS_REX) != 0 ? 0x40U : 0U;
  if (info.raw.rex.W != 0) rex |= 0x48;
  if (has_modrm && fields.reg >= 8) rex |= 0x44;
  const unsigned xb = fields.memory ? Assembler::rex_xb(operand.base, operand.index)
                                    : (fields.rm != kNoReg && fields.rm >= 8 ? 1U : 0U);
  if (xb != 0) rex |= 0x40 | xb;
  if (rex != 0) out_.byte(rex);
  if (info.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT) out_.byte(0x0F);
  if (info.opcode_map == ZYDIS_OPCODE_MAP_0F38) out_.byte(0x38);
  if (info.opcode_map == ZYDIS_OPCODE_MAP_0F3A) out_.byte(0x3A);
}

// Emits the instruction with the given register fields.
void BlockEmitter::reencode(const TraceInsn& at, const Fields& fields, const HostOperand& operand) {
  const Insn& insn = at.insn;
  const ZydisDecodedInstruction& info = insn.info;
  if (is_vex(info)) vex_prefix(info, fields, operand);
  else legacy_prefixes(info, fields, operand, at.drops_rep);
  const bool has_modrm = (info.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
  const bool in_opcode = !has_modrm && fields.rm != kNoReg;
  out_.byte(in_opcode ? (info.opcode & 0xF8U) | (fields.rm & 7) : info.opcode);
  if (has_modrm) {
    if (fields.memory) {
      out_.operand(fields.reg, operand.base, operand.index, 1, operand.displacement);
    } else {
      out_.byte(0xC0 | (fields.reg & 7) << 3 | (fields.rm & 7));
    }
  }
  if (info.raw.imm[0].size != 0) {
    out_.bytes(insn.bytes.data() + info.raw.imm[0].offset, info.length - u64{info.raw.imm[0].offset});
  }
}

bool BlockEmitter::copy_clobbers_t1(const Insn& insn) {
  const Uses uses = find_uses(insn);
  return uses.any_spilled || uses.any_rcx || uses.implicit_rcx || insn.info.mnemonic == ZYDIS_MNEMONIC_LEA;
}

// False when this combination of registers has no encoding with the temporaries at hand.
bool BlockEmitter::copy(const TraceInsn& at, bool fixed) {
  const Insn& insn = at.insn;
  const ZydisDecodedInstruction& info = insn.info;
  const Uses uses = find_uses(insn);
  const bool lea = info.mnemonic == ZYDIS_MNEMONIC_LEA;
  const bool memory = at.memory_operand >= 0;
  // Without REX only RAX, RCX, RDX and RBX have a high byte: guest RCX then moves to host RCX for the instruction.
  const bool rcx_in_place = uses.any_high && uses.any_rcx;
  if (rcx_in_place && (memory || uses.implicit_rcx)) return false;
  const bool t0_taken = uses.implicit_rcx || rcx_in_place;

  GuestOperand guest;
  bool in_t0 = false;
  if (memory) {
    if (!fixed) guest = guest_operand(at);
    in_t0 = !fixed && (uses.any_high || !is_simple(guest));
    if (in_t0 && uses.any_high && uses.implicit_rcx) return false;
  }
  // After the probe, unless it may take both, one temporary holds (part of) the address, the other is free.
  const bool address_in_t1 = memory && (!in_t0 || uses.implicit_rcx);
  const bool address_in_t0 = memory && !address_in_t1;
  Renaming renaming(rcx_in_place, !t0_taken && !address_in_t0, !address_in_t1);
  if (!renaming.take(uses.reg) || !renaming.take(uses.rm) || !renaming.take(uses.opcode) || !renaming.take(uses.vvvv))
    return false;

  Fields fields{.reg = uses.reg.guest != kNoReg ? field(renaming, uses.reg) : raw_reg(info), .memory = memory};
  if (uses.rm.guest != kNoReg) {
    fields.rm = field(renaming, uses.rm);
  } else if (uses.opcode.guest != kNoReg) {
    fields.rm = field(renaming, uses.opcode);
  } else if ((info.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0) {
    fields.rm = raw_rm(info);
  }
  fields.vvvv = uses.vvvv.guest != kNoReg ? field(renaming, uses.vvvv) : ~unsigned{info.raw.vex.vvvv} & 15U;
  const bool needs_rex = fields.reg >= 8 || (!memory && fields.rm != kNoReg && fields.rm >= 8);
  if (uses.any_high && needs_rex) return false;

  if (lea) {
    // The address itself is the value: no probe, and the operand-size prefix decides how much is kept.
    const u64 mem_index = insn.operand[1].type == ZYDIS_OPERAND_TYPE_MEMORY ? 1 : 0;
    TraceInsn shadow = at;
    shadow.memory_operand = static_cast<i8>(mem_index);
    GuestOperand address = guest_operand(shadow);
    address.segment_base = 0;
    const unsigned width = insn.operand[0].size;
    const unsigned destination = is_spilled(uses.reg.guest) ? kT1 : host_register(uses.reg.guest);
    const bool in_place = !address.rip_relative && !is_spilled(uses.reg.guest) && width != 16 &&
                          (address.base == kNoReg || !is_spilled(address.base)) &&
                          (address.index == kNoReg || !is_spilled(address.index));
    if (in_place) {
      const unsigned base = address.base == kNoReg ? Assembler::kNone : host_register(address.base);
      const unsigned index = address.index == kNoReg ? Assembler::kNone : host_register(address.index);
      out_.lea(destination, base, index, address.scale, address.displacement, width == 64 && !address.narrow);
      return true;
    }
    address_to_t0(out_, address);
    if (width == 64) {
      out_.mov(destination, kT0);
    } else {
      if (is_spilled(uses.reg.guest) && width == 16) load_guest(kT1, uses.reg.guest);
      if (width == 16) out_.byte(0x66);
      out_.byte(0x40 | destination >> 3), out_.byte(0x89), out_.byte(0xC0 | kT0 << 3 | (destination & 7));
    }
    if (is_spilled(uses.reg.guest)) store_guest(uses.reg.guest, kT1);
    return true;
  }

  HostOperand operand;
  if (fixed) {
    out_.load_gs(kT1, offsetof(Context, scratch) + 8);
    operand = {kT1, Assembler::kNone, 0};
  } else if (memory) {
    const ZydisDecodedOperand& mem = insn.operand[static_cast<std::size_t>(at.memory_operand)];
    const bool write = (mem.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    const bool both = in_t0 && !uses.any_high && !t0_taken && !uses.any_spilled;
    operand = probe(at, guest, mem.size / 8U, write, both ? Room::kBoth : in_t0 ? Room::kFirst : Room::kOne);
    if (in_t0 && uses.implicit_rcx) {
      out_.mov(kT1, kT0);
      operand = {kT1, Assembler::kNone, 0};
    }
  }
  if (t0_taken) out_.mov(kT0, kHostRcx);
  for (const Renaming::Slot& slot : renaming.slots()) {
    if (slot.guest != kNoReg) load_guest(slot.host, slot.guest);
  }
  reencode(at, fields, operand);
  for (const Renaming::Slot& slot : renaming.slots()) {
    if (slot.guest != kNoReg && slot.written) store_guest(slot.guest, slot.host);
  }
  if (uses.implicit_rcx_written) out_.mov(kHostRcx, kT0);
  if (rcx_in_place && ((uses.reg.guest == kRcx && uses.reg.written) || (uses.rm.guest == kRcx && uses.rm.written) ||
                       (uses.opcode.guest == kRcx && uses.opcode.written))) {
    out_.mov(kHostRcx, kT0);
  }
  return true;
}

}  // namespace pileus::engine::bt
