// CPUID, and what of the host's processor the translator can offer.
#include "engine/cpuid.h"

#include "engine/bt/host_tsc.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"

namespace pileus::engine {

// All of level 1 is the translator's own business; the rest runs natively, so the host has to have it.
CpuFeatures bt_cpu_features() {
  using enum FeatureWord;
  CpuFeatures out = host_features();
  // SSE3 PCLMUL SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND
  out[k1Ecx] &= 1U << 0 | 1U << 1 | 1U << 9 | 1U << 12 | 1U << 13 | 1U << 19 | 1U << 20 | 1U << 22 | 1U << 23 |
                1U << 25 | 1U << 26 | 1U << 28 | 1U << 29 | 1U << 30;
  out[k1Ecx] |= 1U << 17;  // PCID
  out[k1Edx] = ~0U;
  out[k7Ebx] &= 1U << 3 | 1U << 5 | 1U << 8 | 1U << 18 | 1U << 19 | 1U << 29;  // BMI1 AVX2 BMI2 RDSEED ADX SHA
  out[k7Ebx] |= 1U << 10;  // INVPCID
  out[k7Ecx] = out[k7Edx] = 0;
  out[kD1Eax] &= 7;  // XSAVEOPT XSAVEC XGETBV with ECX = 1
  out[k80000001Ecx] = (out[k80000001Ecx] & 1U << 5) | 1U << 0;  // LZCNT, LAHF
  if (!__builtin_cpu_supports("avx")) out[k1Ecx] &= ~(1U << 26);  // or the host's kernel does not switch its state
  out[k80000001Edx] = ~0U;
  return out;
}

namespace bt {

namespace {

// CLOCKSOURCE NOP_IO_DELAY CLOCKSOURCE2 STEAL_TIME PV_EOI PV_UNHALT PV_TLB_FLUSH PV_SEND_IPI POLL_CONTROL
// PV_SCHED_YIELD MSI_EXT_DEST_ID CLOCKSOURCE_STABLE
constexpr u32 kParavirtBits = 1U << 0 | 1U << 1 | 1U << 3 | 1U << 5 | 1U << 6 | 1U << 7 | 1U << 9 | 1U << 11 |
                              1U << 12 | 1U << 13 | 1U << 15 | 1U << 24;

}  // namespace

CpuIdentity bt_identity(const Config& config, const CpuFeatures& features) {
  // BHI_CTRL. Without it Linux has a loop of calls and jumps in every system call, against branch history; which is pure
  // cost under translation, as are its other defences against what code of one guest trains for code of the same.
  CpuFeatures offered = features;
  offered[FeatureWord::k72Edx] = 1U << 4;
  return {offered, config.cpu_count, static_cast<u32>(tsc_khz()), config.paravirt, kParavirtBits, "BT"};
}

void do_cpuid(Context& context) {
  const auto leaf = static_cast<u32>(context.gpr[kRax]);
  const auto subleaf = static_cast<u32>(context.gpr[kRcx]);
  const CpuidState state{context.id, context.code64(), (context.cr4 >> 18 & 1) != 0, context.xcr0};
  const CpuidLeaf out = cpuid(context.vm->cpu(), state, leaf, subleaf);
  context.gpr[kRax] = out.eax;
  context.gpr[kRbx] = out.ebx;
  context.gpr[kRcx] = out.ecx;
  context.gpr[kRdx] = out.edx;
}

}  // namespace bt
}  // namespace pileus::engine
