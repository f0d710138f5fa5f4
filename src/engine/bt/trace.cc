#include "engine/bt/trace.h"

#include "engine/bt/registers.h"

namespace pileus::engine::bt {

namespace {

constexpr u32 kArithmeticFlags =
    ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF;

bool uses_fpu(const ZydisDecodedInstruction& info) {
  switch (info.meta.category) {  // NOLINT: the interesting ones of a large enumeration
    case ZYDIS_CATEGORY_X87_ALU:
    case ZYDIS_CATEGORY_FCMOV:
    case ZYDIS_CATEGORY_MMX:
    case ZYDIS_CATEGORY_SSE:
    case ZYDIS_CATEGORY_AES:
    case ZYDIS_CATEGORY_SHA:
    case ZYDIS_CATEGORY_PCLMULQDQ:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_LOGICAL_FP: return true;
    default: break;
  }
  switch (info.meta.isa_ext) {
    case ZYDIS_ISA_EXT_X87:
    case ZYDIS_ISA_EXT_MMX:
    case ZYDIS_ISA_EXT_SSE:
    case ZYDIS_ISA_EXT_SSE2:
    case ZYDIS_ISA_EXT_SSE3:
    case ZYDIS_ISA_EXT_SSSE3:
    case ZYDIS_ISA_EXT_SSE4:
    case ZYDIS_ISA_EXT_AES:
    case ZYDIS_ISA_EXT_SHA:
    case ZYDIS_ISA_EXT_PCLMULQDQ: return true;
    default: return false;
  }
}

bool is_excluded(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    // The state images hold host addresses, or are larger than a probe covers.
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FLDENV:
    // What their mask leaves out is not accessed.
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ:
    // Feature checks and faults are the interpreter's.
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_CLFLUSH:
    case ZYDIS_MNEMONIC_CLFLUSHOPT:
    case ZYDIS_MNEMONIC_CLWB:
    case ZYDIS_MNEMONIC_RDPID:
    case ZYDIS_MNEMONIC_CLZERO:
    case ZYDIS_MNEMONIC_SERIALIZE:
    case ZYDIS_MNEMONIC_MOVDIR64B:
    case ZYDIS_MNEMONIC_ENQCMD:
    case ZYDIS_MNEMONIC_ENQCMDS: return true;
    default: return false;
  }
}

bool is_system(ZydisInstructionCategory category) {
  switch (category) {
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SEGOP:
    case ZYDIS_CATEGORY_SMAP:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_STRINGOP:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_RDWRFSGS:
    case ZYDIS_CATEGORY_VTX:
    case ZYDIS_CATEGORY_XSAVE:
    case ZYDIS_CATEGORY_XSAVEOPT:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_PKU:
    case ZYDIS_CATEGORY_PADLOCK:
    case ZYDIS_CATEGORY_SGX:
    case ZYDIS_CATEGORY_CET:
    case ZYDIS_CATEGORY_KEYLOCKER:
    case ZYDIS_CATEGORY_AMX_TILE:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_POP:
    case ZYDIS_CATEGORY_UINTR: return true;
    default: return false;
  }
}

bool writes_hidden_rcx(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_VPCMPISTRI:
    case ZYDIS_MNEMONIC_VPCMPESTRI: return true;
    default: return false;
  }
}

bool hidden_operand_is_fixed(const ZydisDecodedOperand& operand, ZydisMnemonic mnemonic) {
  if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) return operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
  bool high = false;
  const unsigned gpr = gpr_number(operand.reg.value, &high);
  if (gpr == kNoReg) {
    const ZydisRegisterClass kind = ZydisRegisterGetClass(operand.reg.value);
    return kind == ZYDIS_REGCLASS_FLAGS || kind == ZYDIS_REGCLASS_X87 || kind == ZYDIS_REGCLASS_XMM ||
           kind == ZYDIS_REGCLASS_YMM || kind == ZYDIS_REGCLASS_MMX || operand.reg.value == ZYDIS_REGISTER_X87CONTROL ||
           operand.reg.value == ZYDIS_REGISTER_X87STATUS || operand.reg.value == ZYDIS_REGISTER_X87TAG ||
           operand.reg.value == ZYDIS_REGISTER_MXCSR;
  }
  const bool written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  return gpr == 0 || gpr == 2 || gpr == 3 || (gpr == 1 && !high && (!written || writes_hidden_rcx(mnemonic)));
}

bool explicit_operand_is_plain(const ZydisDecodedOperand& operand) {
  switch (operand.type) {
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: return true;
    case ZYDIS_OPERAND_TYPE_MEMORY:
      return operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM &&
             (operand.mem.type == ZYDIS_MEMOP_TYPE_AGEN ||
              (operand.mem.type == ZYDIS_MEMOP_TYPE_MEM && operand.size >= 8 && operand.size <= 256));
    case ZYDIS_OPERAND_TYPE_REGISTER: {
      bool high = false;
      if (gpr_number(operand.reg.value, &high) != kNoReg) return true;
      const ZydisRegisterClass kind = ZydisRegisterGetClass(operand.reg.value);
      return kind == ZYDIS_REGCLASS_X87 || kind == ZYDIS_REGCLASS_MMX || kind == ZYDIS_REGCLASS_XMM ||
             kind == ZYDIS_REGCLASS_YMM;
    }
    case ZYDIS_OPERAND_TYPE_POINTER:
    case ZYDIS_OPERAND_TYPE_UNUSED: break;
  }
  return false;
}

// BT and friends with a register index address memory outside of their operand.
bool is_bit_string(const Insn& insn) {
  switch (insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC:
      return insn.operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY && insn.operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
    default: return false;
  }
}

bool may_execute(const ZydisDecodedInstruction& info, u8 usable) {
  if (is_vex_vector(info)) return (usable & kUsableAvx) != 0;
  return (usable & kUsableSse) != 0 || !uses_fpu(info);
}

bool can_copy(const Insn& insn, u8 usable, const CpuFeatures& features) {
  const ZydisDecodedInstruction& info = insn.info;
  if (info.opcode_map == ZYDIS_OPCODE_MAP_0F0F) return false;
  const bool scan = info.mnemonic == ZYDIS_MNEMONIC_TZCNT || info.mnemonic == ZYDIS_MNEMONIC_LZCNT;
  if (!is_offered(insn, features) && info.mnemonic != ZYDIS_MNEMONIC_PAUSE && !scan) return false;
  if (is_excluded(info.mnemonic) || is_system(info.meta.category) || is_bit_string(insn)) return false;
  if (!may_execute(info, usable)) return false;
  for (unsigned i = 0; i < info.operand_count; ++i) {
    const ZydisDecodedOperand& operand = insn.operand[i];
    const bool fine = operand.visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT
                          ? explicit_operand_is_plain(operand)
                          : hidden_operand_is_fixed(operand, info.mnemonic);
    if (!fine) return false;
  }
  return true;
}

bool ends_block(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSRET:
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_SYSEXIT:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT1:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_WRMSR:
    case ZYDIS_MNEMONIC_XSETBV:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_INVPCID:
    case ZYDIS_MNEMONIC_CLTS:
    case ZYDIS_MNEMONIC_LMSW:
    case ZYDIS_MNEMONIC_STAC:
    case ZYDIS_MNEMONIC_CLAC:
    case ZYDIS_MNEMONIC_JMP:
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_RET: return true;
    default: return false;
  }
}

bool writes_control_register(const Insn& insn) {
  return insn.info.mnemonic == ZYDIS_MNEMONIC_MOV && insn.operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         ZydisRegisterGetClass(insn.operand[0].reg.value) == ZYDIS_REGCLASS_CONTROL;
}

Kind interpreted(const Insn& insn) {
  return ends_block(insn.info.mnemonic) || writes_control_register(insn) ? Kind::kInterpretEnd : Kind::kInterpret;
}

bool is_plain_memory(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.type == ZYDIS_MEMOP_TYPE_MEM &&
         operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM;
}

Kind branch_kind(const Insn& insn, TraceInsn* out) {
  const ZydisDecodedInstruction& info = insn.info;
  const ZydisDecodedOperand& target = insn.operand[0];
  const bool near = info.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR || info.meta.branch_type == ZYDIS_BRANCH_TYPE_SHORT;
  if (!near || (info.attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE) != 0) return Kind::kInterpretEnd;
  switch (info.meta.category) {
    case ZYDIS_CATEGORY_RET: return info.operand_width == 64 ? Kind::kReturn : Kind::kInterpretEnd;
    case ZYDIS_CATEGORY_COND_BR:
      if (info.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && info.opcode >= 0xE0 && info.opcode <= 0xE3) {
        return info.opcode >= 0xE2 ? Kind::kCountBranch : Kind::kInterpretEnd;  // LOOPE and LOOPNE are rare
      }
      return Kind::kBranch;
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_UNCOND_BR: {
      const bool call = info.meta.category == ZYDIS_CATEGORY_CALL;
      if (target.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) return call ? Kind::kCall : Kind::kJump;
      if (target.size != 64) return Kind::kInterpretEnd;
      if (target.type == ZYDIS_OPERAND_TYPE_MEMORY) out->memory_operand = 0;
      return call ? Kind::kCallIndirect : Kind::kJumpIndirect;
    }
    default: return Kind::kInterpretEnd;
  }
}

Kind stack_kind(const Insn& insn, TraceInsn* out) {
  const ZydisDecodedOperand& operand = insn.operand[0];
  if (insn.info.operand_width != 64 || operand.visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT) return Kind::kInterpret;
  bool high = false;
  const bool gpr = operand.type == ZYDIS_OPERAND_TYPE_REGISTER && gpr_number(operand.reg.value, &high) != kNoReg;
  if (insn.info.mnemonic == ZYDIS_MNEMONIC_PUSH) {
    if (is_plain_memory(operand)) out->memory_operand = 0;
    return gpr || operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE || is_plain_memory(operand) ? Kind::kPush
                                                                                           : Kind::kInterpret;
  }
  return gpr ? Kind::kPop : Kind::kInterpret;
}

bool reads_cr2_or_cr3(const Insn& insn) {
  const ZydisDecodedOperand& from = insn.operand[1];
  return from.type == ZYDIS_OPERAND_TYPE_REGISTER &&
         (from.reg.value == ZYDIS_REGISTER_CR2 || from.reg.value == ZYDIS_REGISTER_CR3);
}

bool reads_selector(const Insn& insn) {
  return insn.info.operand_width >= 32 && insn.operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         insn.operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         ZydisRegisterGetClass(insn.operand[1].reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

// Those that are worth to be done in line.
Kind string_kind(const Insn& insn) {
  constexpr u64 kOther = ZYDIS_ATTRIB_HAS_SEGMENT | ZYDIS_ATTRIB_HAS_ADDRESSSIZE | ZYDIS_ATTRIB_HAS_LOCK;
  const ZydisDecodedInstruction& info = insn.info;
  if (info.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || (info.attributes & ZYDIS_ATTRIB_HAS_REP) == 0 ||
      (info.attributes & kOther) != 0) {
    return Kind::kInterpret;
  }
  switch (info.opcode) {
    case 0xA4:
    case 0xA5: return Kind::kStringCopy;
    case 0xAA:
    case 0xAB: return Kind::kStringStore;
    default: return Kind::kInterpret;
  }
}

bool is_bit_test(const Insn& insn) {
  const ZydisDecodedInstruction& info = insn.info;
  switch (info.mnemonic) {
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC: break;
    default: return false;
  }
  return info.operand_width >= 32 && (info.attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE) == 0 &&
         is_plain_memory(insn.operand[0]) && insn.operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
}

Kind classify(const Insn& insn, Mode mode, u8 usable, const CpuFeatures& features, TraceInsn* out) {
  const ZydisDecodedInstruction& info = insn.info;
  switch (info.meta.category) {
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR: return branch_kind(insn, out);
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_WIDENOP:
    case ZYDIS_CATEGORY_PREFETCH:
    case ZYDIS_CATEGORY_PREFETCHWT1: return Kind::kNop;
    default: break;
  }
  switch (info.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP: return stack_kind(insn, out);
    case ZYDIS_MNEMONIC_LEAVE: return info.operand_width == 64 ? Kind::kLeave : Kind::kInterpret;
    case ZYDIS_MNEMONIC_CLI: return mode == kModeUser ? Kind::kInterpret : Kind::kClearIf;
    case ZYDIS_MNEMONIC_STI: return mode == kModeUser ? Kind::kInterpretEnd : Kind::kSetIf;
    case ZYDIS_MNEMONIC_STAC:
    case ZYDIS_MNEMONIC_CLAC: return mode == kModeUser ? Kind::kInterpretEnd : Kind::kSetAc;
    case ZYDIS_MNEMONIC_SWAPGS: return mode == kModeUser ? Kind::kInterpret : Kind::kSwapGs;
    case ZYDIS_MNEMONIC_RDTSC:
    case ZYDIS_MNEMONIC_RDTSCP: return mode == kModeUser ? Kind::kInterpret : Kind::kReadTsc;
    case ZYDIS_MNEMONIC_PUSHFQ: return info.operand_width == 64 ? Kind::kPushFlags : Kind::kInterpret;
    case ZYDIS_MNEMONIC_MOV:
      if (mode != kModeUser && reads_cr2_or_cr3(insn)) return Kind::kReadControl;
      if (reads_selector(insn)) return Kind::kReadSelector;
      break;
    case ZYDIS_MNEMONIC_CLD:
    case ZYDIS_MNEMONIC_STD: return Kind::kDirection;
    default: break;
  }
  if (const Kind kind = string_kind(insn); kind != Kind::kInterpret) return kind;
  if (is_bit_test(insn)) {
    out->memory_operand = 0;
    return Kind::kBitTest;
  }
  if (!can_copy(insn, usable, features)) return interpreted(insn);
  out->drops_rep = !is_offered(insn, features);
  for (unsigned i = 0; i < info.operand_count_visible; ++i) {
    if (is_plain_memory(insn.operand[i])) out->memory_operand = static_cast<i8>(i);
  }
  return Kind::kCopy;
}

// A shift or rotate by a count that may be zero, which leaves all flags alone.
bool may_keep_flags(const Insn& insn) {
  switch (insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: {
      const ZydisDecodedOperand& count = insn.operand[insn.info.operand_count_visible - 1U];
      const u64 mask = insn.info.operand_width == 64 ? 63 : 31;
      return count.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || (count.imm.value.u & mask) == 0;
    }
    default: return false;
  }
}

// By the interpreter, or by it where what is in line does not do.
bool may_be_interpreted(Kind kind) {
  switch (kind) {
    case Kind::kInterpret:
    case Kind::kInterpretEnd:
    case Kind::kSetIf:
    case Kind::kStringStore:
    case Kind::kStringCopy:
    case Kind::kBitTest: return true;
    default: return false;
  }
}

// Flags whose value from before nobody can see after the instruction. Those that it leaves undefined are among them.
u32 definitely_written(const Insn& insn) {
  const ZydisAccessedFlags* flags = insn.info.cpu_flags;
  if (flags == nullptr || may_keep_flags(insn)) return 0;
  return flags->modified | flags->set_0 | flags->set_1 | flags->undefined;
}

// An instruction that faults has the flags it started with in its exception frame only if they are live here: see
// docs/adr.
void find_live_flags(Trace* trace) {
  u32 live = kArithmeticFlags;
  for (unsigned i = trace->count; i-- > 0;) {
    TraceInsn& at = trace->at[i];
    if (at.kind == Kind::kCopy) {
      live &= ~definitely_written(at.insn);
      if (at.insn.info.cpu_flags != nullptr) live |= at.insn.info.cpu_flags->tested & kArithmeticFlags;
    } else if (may_be_interpreted(at.kind) || at.kind == Kind::kPushFlags) {
      live = kArithmeticFlags;
    }
    at.flags_live = live != 0;
  }
}

}  // namespace

bool falls_through(Kind kind) {
  switch (kind) {
    case Kind::kCall:
    case Kind::kCallIndirect:
    case Kind::kJump:
    case Kind::kJumpIndirect:
    case Kind::kBranch:
    case Kind::kCountBranch:
    case Kind::kReturn:
    case Kind::kSetAc:
    case Kind::kStraddle:
    case Kind::kInterpretEnd: return false;
    case Kind::kCopy:
    case Kind::kNop:
    case Kind::kPush:
    case Kind::kPop:
    case Kind::kLeave:
    case Kind::kClearIf:
    case Kind::kSetIf:
    case Kind::kDirection:
    case Kind::kSwapGs:
    case Kind::kReadTsc:
    case Kind::kPushFlags:
    case Kind::kReadControl:
    case Kind::kReadSelector:
    case Kind::kStringStore:
    case Kind::kStringCopy:
    case Kind::kBitTest:
    case Kind::kInterpret: return true;
  }
  return true;
}

unsigned gpr_number(ZydisRegister reg, bool* high) {
  *high = false;
  if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_BL) return static_cast<unsigned>(reg - ZYDIS_REGISTER_AL);
  if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) {
    *high = true;
    return static_cast<unsigned>(reg - ZYDIS_REGISTER_AH);
  }
  if (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B)
    return static_cast<unsigned>(reg - ZYDIS_REGISTER_SPL) + 4;
  if (reg >= ZYDIS_REGISTER_AX && reg <= ZYDIS_REGISTER_R15W) return static_cast<unsigned>(reg - ZYDIS_REGISTER_AX);
  if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D) return static_cast<unsigned>(reg - ZYDIS_REGISTER_EAX);
  if (reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15) return static_cast<unsigned>(reg - ZYDIS_REGISTER_RAX);
  return kNoReg;
}

void decode_trace(const u8* bytes, unsigned length, u16 page_offset, Mode mode, u8 usable, const CpuFeatures& features,
                  Trace* trace) {
  trace->count = 0;
  unsigned done = 0;
  while (trace->count < kMaxTrace && done < length) {
    TraceInsn& at = trace->at[trace->count];
    if (!decode(bytes + done, length - done, 64, &at.insn)) {
      // What is cut off by the page's end; a trace that starts earlier has to end here.
      if (trace->count == 0 && page_offset + length == 4096 && length < kMaxInsnBytes) {
        at.page_offset = page_offset;
        at.kind = Kind::kStraddle;
        at.straddles = false;
        trace->count = 1;
        done = length;
      }
      break;
    }
    at.page_offset = static_cast<u16>(page_offset + done);
    at.memory_operand = -1;
    at.drops_rep = false;
    at.straddles = false;
    at.kind = classify(at.insn, mode, usable, features, &at);
    done += at.insn.info.length;
    ++trace->count;
    if (!falls_through(at.kind)) break;
  }
  trace->end_offset = static_cast<u16>(page_offset + done);
  find_live_flags(trace);
}

bool decode_straddling(const u8* bytes, unsigned length, u16 page_offset, Mode mode, u8 usable,
                       const CpuFeatures& features, Trace* trace) {
  Insn insn;
  if (!decode(bytes, length, 64, &insn) || page_offset + insn.info.length <= 4096) return false;
  TraceInsn& at = trace->at[0];
  at.insn = insn;
  at.page_offset = page_offset;
  at.memory_operand = -1;
  at.drops_rep = false;
  at.straddles = true;
  at.kind = classify(insn, mode, usable, features, &at);
  if (may_be_interpreted(at.kind)) at.kind = Kind::kInterpretEnd;
  trace->count = 1;
  trace->end_offset = static_cast<u16>(page_offset + insn.info.length);
  find_live_flags(trace);
  return true;
}

}  // namespace pileus::engine::bt
