// x87, MMX and SSE: the host's processor does them, on the guest's own registers (execute_native).
#include <cstring>

#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kCr0Mp = 2, kCr0Em = 4, kCr0Ts = 8, kCr4OsFxsr = 1U << 9, kCr4OsXsave = 1U << 18;
constexpr u64 kXcr0Avx = 6;  // with SSE
constexpr u32 kMxcsrReserved = 0xFFFF0000;
constexpr std::size_t kImage = 512;

bool is_mmx(const Insn& insn) { return insn.info.meta.isa_ext == ZYDIS_ISA_EXT_MMX; }

// Stores of values, which may be numeric exceptions; not those of control words and images.
bool is_x87_arithmetic_store(const Insn& insn) {
  switch (insn.info.mnemonic) {  // NOLINT: the interesting ones of a large enumeration
    case ZYDIS_MNEMONIC_FST:
    case ZYDIS_MNEMONIC_FSTP:
    case ZYDIS_MNEMONIC_FIST:
    case ZYDIS_MNEMONIC_FISTP:
    case ZYDIS_MNEMONIC_FISTTP:
    case ZYDIS_MNEMONIC_FBSTP: return true;
    default: return false;
  }
}

u16 x87_status() {
  u16 status = 0;
  asm volatile("fnstsw %0" : "=a"(status));
  return status;
}

bool is_x87_exception_pending() { return (x87_status() & 0x80) != 0; }

bool is_general(const Insn& insn) {  // touches no floating-point state
  switch (insn.info.meta.isa_ext) {
    case ZYDIS_ISA_EXT_RDRAND:
    case ZYDIS_ISA_EXT_RDSEED:
    case ZYDIS_ISA_EXT_ADOX_ADCX: return true;
    default: return false;
  }
}

// Whether an x87 store ends in an unmasked exception other than that of precision, which the next x87 instruction reports:
// then it stores nothing and looks at no memory (SDM vol. 1, 8.5). If so it has been done; tried out on `buffer`.
bool x87_store_stores_nothing(Context& context, const Insn& insn, u8* buffer) {
  constexpr u16 kAllMasked = 0x1F;
  u16 control = 0;
  asm volatile("fnstcw %0" : "=m"(control));
  if ((control & kAllMasked) == kAllMasked) return false;
  alignas(16) std::array<u8, kImage> before;
  asm volatile("fxsave64 %0" : "=m"(before));
  const bool done = execute_native(context, insn, buffer);
  if (done && (x87_status() & ~control & kAllMasked) != 0) return true;
  asm volatile("fxrstor64 %0"
               :
               : "m"(before)
               : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                 "xmm12", "xmm13", "xmm14", "xmm15");
  return false;
}

// Whether the host's processor raises #GP for a misaligned operand of this SHA instruction; tried out on `buffer`.
bool sha_refuses(Context& context, const Insn& insn, u8* buffer) {
  if (insn.info.meta.isa_ext != ZYDIS_ISA_EXT_SHA) return false;
  const auto before = context.vector;
  const bool refuses = !execute_native(context, insn, buffer);
  context.vector = before;
  return refuses;
}

// Whether a conversion whose result is to be stored raises #XM, which it does before it looks at memory; tried out on `buffer`.
bool conversion_refuses(Context& context, const Insn& insn, u8* buffer) {
  if (insn.info.mnemonic != ZYDIS_MNEMONIC_VCVTPS2PH) return false;
  const u32 before = context.mxcsr;
  if (!execute_native(context, insn, buffer)) return true;
  context.mxcsr = before;  // the store may still fault
  return false;
}

// FNSTENV and FNSAVE images name host addresses as last instruction and operand. The word behind them is all ones, as in a
// processor's.
void scrub_environment(const Insn& insn, u8* image) {
  const bool stores = insn.info.mnemonic == ZYDIS_MNEMONIC_FNSTENV || insn.info.mnemonic == ZYDIS_MNEMONIC_FNSAVE;
  if (!stores) return;
  if (insn.info.operand_width == 16) std::memset(image + 6, 0, 8);
  else std::memset(image + 12, 0, 14);
}

}  // namespace

namespace {
struct Extension {
  ZydisISAExt extension;
  FeatureWord word;
  unsigned bit;
};
// Extensions that depend on the CPU model.
constexpr Extension kExtensions[] = {
    {ZYDIS_ISA_EXT_AES, FeatureWord::k1Ecx, 25},       {ZYDIS_ISA_EXT_PCLMULQDQ, FeatureWord::k1Ecx, 1},
    {ZYDIS_ISA_EXT_SHA, FeatureWord::k7Ebx, 29},       {ZYDIS_ISA_EXT_RDRAND, FeatureWord::k1Ecx, 30},
    {ZYDIS_ISA_EXT_RDSEED, FeatureWord::k7Ebx, 18},    {ZYDIS_ISA_EXT_ADOX_ADCX, FeatureWord::k7Ebx, 19},
    {ZYDIS_ISA_EXT_MOVBE, FeatureWord::k1Ecx, 22},     {ZYDIS_ISA_EXT_LZCNT, FeatureWord::k80000001Ecx, 5},
    {ZYDIS_ISA_EXT_AVX, FeatureWord::k1Ecx, 28},       {ZYDIS_ISA_EXT_AVX2, FeatureWord::k7Ebx, 5},
    {ZYDIS_ISA_EXT_AVX2GATHER, FeatureWord::k7Ebx, 5}, {ZYDIS_ISA_EXT_AVXAES, FeatureWord::k1Ecx, 28},
    {ZYDIS_ISA_EXT_FMA, FeatureWord::k1Ecx, 12},       {ZYDIS_ISA_EXT_F16C, FeatureWord::k1Ecx, 29},
    {ZYDIS_ISA_EXT_BMI1, FeatureWord::k7Ebx, 3},       {ZYDIS_ISA_EXT_BMI2, FeatureWord::k7Ebx, 8},
};

// VEX forms of what is an extension of its own without.
bool is_other_half_offered(const Insn& insn, const CpuFeatures& features) {
  if (insn.info.meta.isa_ext == ZYDIS_ISA_EXT_AVXAES) return features.has(FeatureWord::k1Ecx, 25);
  if (insn.info.mnemonic == ZYDIS_MNEMONIC_VPCLMULQDQ) return features.has(FeatureWord::k1Ecx, 1);
  return true;
}
}  // namespace

bool is_offered(const Insn& insn, const CpuFeatures& features) {
  const ZydisISAExt extension = insn.info.meta.isa_ext;
  const bool legacy = insn.info.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
  for (const Extension& one : kExtensions) {
    if (one.extension != extension) continue;
    return (legacy || insn.info.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX) && features.has(one.word, one.bit) &&
           is_other_half_offered(insn, features);
  }
  switch (extension) {
    case ZYDIS_ISA_EXT_X87:
    case ZYDIS_ISA_EXT_MMX:
    case ZYDIS_ISA_EXT_SSE:
    case ZYDIS_ISA_EXT_SSE2:
    case ZYDIS_ISA_EXT_SSE3:
    case ZYDIS_ISA_EXT_SSSE3:
    case ZYDIS_ISA_EXT_SSE4:
    case ZYDIS_ISA_EXT_LONGMODE:
    case ZYDIS_ISA_EXT_BASE: return legacy;
    default: return false;
  }
}

bool is_vex_vector(const ZydisDecodedInstruction& info) {
  return info.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && info.meta.isa_ext != ZYDIS_ISA_EXT_BMI1 &&
         info.meta.isa_ext != ZYDIS_ISA_EXT_BMI2;
}

bool needs_alignment(const Insn& insn, unsigned size) {
  if (is_vex_vector(insn.info)) {
    switch (insn.info.mnemonic) {  // NOLINT: the interesting ones of a large enumeration
      case ZYDIS_MNEMONIC_VMOVAPS:
      case ZYDIS_MNEMONIC_VMOVAPD:
      case ZYDIS_MNEMONIC_VMOVDQA:
      case ZYDIS_MNEMONIC_VMOVNTPS:
      case ZYDIS_MNEMONIC_VMOVNTPD:
      case ZYDIS_MNEMONIC_VMOVNTDQ:
      case ZYDIS_MNEMONIC_VMOVNTDQA: return size >= 16;
      default: return false;
    }
  }
  if (size != 16 || is_x87(insn.info) || insn.info.meta.isa_ext == ZYDIS_ISA_EXT_SHA) return false;
  switch (insn.info.mnemonic) {  // NOLINT: the interesting ones of a large enumeration
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_PCMPESTRM:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM: return false;
    default: return true;
  }
}

// FISTTP came with SSE3 and is one of them all the same.
bool is_x87(const ZydisDecodedInstruction& info) {
  const bool escape = info.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (info.opcode & 0xF8) == 0xD8;
  return escape || info.mnemonic == ZYDIS_MNEMONIC_FWAIT;
}

bool waits_for_x87(const Insn& insn) {
  switch (insn.info.mnemonic) {  // NOLINT: the interesting ones of a large enumeration
    case ZYDIS_MNEMONIC_FNSTCW:
    case ZYDIS_MNEMONIC_FNSTSW:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FNINIT:
    case ZYDIS_MNEMONIC_FNCLEX: return false;
    default: break;
  }
  if (is_x87(insn.info)) return true;
  for (unsigned i = 0; i < insn.info.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = insn.operand[i];
    const bool mmx =
        operand.type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_MMX;
    if (mmx) return true;
  }
  return false;
}

// SDM vol. 3, table 13-1 and 2.5; vol. 2, 2.4 for VEX.
bool check_fpu_usable(Exec& e) {
  Context& context = e.context;
  if (is_general(e.insn)) return true;
  if (is_vex_vector(e.insn.info)) {
    if ((context.cr4 & kCr4OsXsave) == 0 || (context.xcr0 & kXcr0Avx) != kXcr0Avx) return context.raise(kVectorUd);
    return (context.cr0 & kCr0Ts) == 0 || context.raise(kVectorNm);
  }
  if (is_x87(e.insn.info)) {
    const bool wait = e.insn.info.mnemonic == ZYDIS_MNEMONIC_FWAIT;
    const u64 blocks = wait ? 0 : kCr0Em | kCr0Ts;
    const bool waits = wait && (context.cr0 & (kCr0Mp | kCr0Ts)) == (kCr0Mp | kCr0Ts);
    return ((context.cr0 & blocks) == 0 && !waits) || context.raise(kVectorNm);
  }
  if ((context.cr0 & kCr0Em) != 0) return context.raise(kVectorUd);
  if (!is_mmx(e.insn) && (context.cr4 & kCr4OsFxsr) == 0) return context.raise(kVectorUd);
  return (context.cr0 & kCr0Ts) == 0 || context.raise(kVectorNm);
}

bool op_native(Exec& e) {
  Context& context = e.context;
  const bool integer =
      e.insn.info.meta.isa_ext == ZYDIS_ISA_EXT_BASE || e.insn.info.meta.isa_ext == ZYDIS_ISA_EXT_LONGMODE;
  // Integer instructions that the interpreter does not know itself are none: UD2 and the like.
  if (integer || !is_offered(e.insn, context.vm->cpu().features)) return context.raise(kVectorUd);
  int memory = -1;
  for (unsigned i = 0; i < e.insn.info.operand_count; ++i) {
    if (!e.is_memory(i)) continue;
    if (e.operand(i).visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT) return context.raise(kVectorUd);
    memory = static_cast<int>(i);
  }
  if (!check_fpu_usable(e)) return false;
  if (memory < 0) return execute_native(context, e.insn, nullptr);
  const ZydisDecodedOperand& operand = e.operand(static_cast<unsigned>(memory));
  const unsigned size = operand.size / 8;
  alignas(64) u8 room[kImage + 64] = {};
  u64 linear = 0;
  if (size > kImage) return context.raise(kVectorUd);
  if (waits_for_x87(e.insn) && is_x87_exception_pending()) return context.raise(kVectorMf);
  const bool fine = linear_address(e, operand, size, &linear);
  if (needs_alignment(e.insn, size) && (linear & (size - 1)) != 0) return context.raise(kVectorGp, 0);
  u8* buffer = room + (linear & 63);
  if ((linear & 15) != 0 && sha_refuses(context, e.insn, buffer)) return false;
  const bool writes = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  if (writes && conversion_refuses(context, e.insn, buffer)) return false;
  if (writes && is_x87_arithmetic_store(e.insn) && x87_store_stores_nothing(context, e.insn, buffer)) return true;
  if (!fine) return linear_address(e, operand, size, &linear);
  const Mode mode = context.mode();
  if (writes) {  // a fault has to come before registers change
    u8* host = nullptr;
    u64 gpa = 0;
    if (!pin_memory(context, linear, size, mode, &host, &gpa)) return false;
  }
  const bool reads = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
  if (reads && !read_memory(context, linear, buffer, size, mode)) return false;
  if (!execute_native(context, e.insn, buffer)) return false;
  scrub_environment(e.insn, buffer);
  return !writes || write_memory(context, linear, buffer, size, mode);
}

bool op_ldmxcsr(Exec& e) {
  u64 value = 0;
  if (!check_fpu_usable(e) || !read_operand(e, 0, &value)) return false;
  if ((value & kMxcsrReserved) != 0) return e.context.raise(kVectorGp, 0);
  e.context.mxcsr = static_cast<u32>(value);
  return true;
}

bool op_stmxcsr(Exec& e) { return check_fpu_usable(e) && write_operand(e, 0, e.context.mxcsr); }

}  // namespace pileus::engine::bt
