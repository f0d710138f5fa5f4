#include "wanted.h"

namespace pileus::cpu_test {

namespace {

bool is_offered(const Step& step) {
  switch (step.info.meta.isa_ext) {  // NOLINT: the wanted ones of a large enumeration
    case ZYDIS_ISA_EXT_AVX:
    case ZYDIS_ISA_EXT_AVX2:
    case ZYDIS_ISA_EXT_AVX2GATHER:
    case ZYDIS_ISA_EXT_AVXAES:
    case ZYDIS_ISA_EXT_FMA:
    case ZYDIS_ISA_EXT_F16C:
    case ZYDIS_ISA_EXT_BMI1:
    case ZYDIS_ISA_EXT_BMI2:
    case ZYDIS_ISA_EXT_LZCNT:
    case ZYDIS_ISA_EXT_MOVBE: return has_avx2();
    default: break;
  }
  if (step.info.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) return false;
  switch (step.info.meta.isa_ext) {  // NOLINT: the wanted ones of a large enumeration
    case ZYDIS_ISA_EXT_BASE:
    case ZYDIS_ISA_EXT_LONGMODE:
    case ZYDIS_ISA_EXT_X87:
    case ZYDIS_ISA_EXT_MMX:
    case ZYDIS_ISA_EXT_SSE:
    case ZYDIS_ISA_EXT_SSE2:
    case ZYDIS_ISA_EXT_SSE3:
    case ZYDIS_ISA_EXT_SSSE3:
    case ZYDIS_ISA_EXT_SSE4:
    case ZYDIS_ISA_EXT_AES:
    case ZYDIS_ISA_EXT_PCLMULQDQ:
    case ZYDIS_ISA_EXT_SHA:
    case ZYDIS_ISA_EXT_ADOX_ADCX:
    case ZYDIS_ISA_EXT_CLFSH:
    case ZYDIS_ISA_EXT_AMD3DNOW_PREFETCH:
    case ZYDIS_ISA_EXT_PREFETCHWT1:
    case ZYDIS_ISA_EXT_PAUSE: return true;
    case ZYDIS_ISA_EXT_CET:  // a NOP to guests, and to processes on most hosts
      return step.info.mnemonic == ZYDIS_MNEMONIC_ENDBR32 || step.info.mnemonic == ZYDIS_MNEMONIC_ENDBR64 ||
             step.info.mnemonic == ZYDIS_MNEMONIC_RDSSPD || step.info.mnemonic == ZYDIS_MNEMONIC_RDSSPQ;
    default: return false;
  }
}

bool is_plain(ZydisInstructionCategory category) {
  switch (category) {  // NOLINT: likewise
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_SEGOP:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_RDWRFSGS: return false;
    default: return true;
  }
}

bool has_fixed_result(ZydisMnemonic mnemonic) {
  switch (mnemonic) {  // NOLINT: likewise
    // The place of their images is the generator's choice: add_x87_state().
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFQ: return false;
    default: return true;
  }
}

bool uses_segment_register(const Step& step) {
  for (unsigned i = 0; i < step.info.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = step.operand[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
    if (ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_SEGMENT) return true;
  }
  return false;
}

// What AMD's and Intel's processors do otherwise: a prefetch of a register is #UD or nothing.
bool has_one_meaning(const Step& step) {
  return step.info.opcode_map != ZYDIS_OPCODE_MAP_0F || step.info.opcode != 0x0D || step.info.raw.modrm.mod != 3;
}

// SDM vol. 2: the result of a 16-bit BSWAP, and of a 16-bit double shift by more than 16, is undefined.
bool has_undefined_result(const Step& step) {
  switch (step.info.mnemonic) {  // NOLINT: likewise
    case ZYDIS_MNEMONIC_BSWAP: return step.info.operand_width == 16;
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: {
      if (step.info.operand_width != 16) return false;
      const ZydisDecodedOperand& count = step.operand[2];
      return count.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || (count.imm.value.u & 31) > 16;
    }
    default: return false;
  }
}

}  // namespace

bool is_wanted(const Step& step) {
  return is_offered(step) && is_plain(step.info.meta.category) && has_fixed_result(step.info.mnemonic) &&
         !uses_segment_register(step) && has_one_meaning(step) && !has_undefined_result(step);
}

unsigned general_register(ZydisRegister reg) {
  if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_BL) return static_cast<unsigned>(reg - ZYDIS_REGISTER_AL);
  if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) return static_cast<unsigned>(reg - ZYDIS_REGISTER_AH);
  const auto id = ZydisRegisterGetId(reg);
  switch (ZydisRegisterGetClass(reg)) {  // NOLINT: likewise
    case ZYDIS_REGCLASS_GPR8: return static_cast<unsigned>(reg - ZYDIS_REGISTER_SPL) + 4;
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: return static_cast<unsigned>(id);
    default: return 16;
  }
}

}  // namespace pileus::cpu_test
