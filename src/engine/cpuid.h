// What CPUID answers: a pure function of the guest's processor, for every engine.
#pragma once

#include "engine/cpu_model.h"

namespace pileus::engine {

struct CpuidLeaf {
  u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// A guest's processor.
struct CpuIdentity {
  CpuFeatures features;
  u32 cpu_count = 1;
  u32 tsc_khz = 0;
  bool paravirt = true;     // offer the KVM paravirtual interface
  u32 paravirt_bits = 0;    // its features: leaf 0x40000001, EAX
  std::string_view engine;  // for the brand string
};

// What of CPUID depends on one vCPU and its state.
struct CpuidState {
  u32 apic_id = 0;
  bool code64 = true;    // SYSCALL shows in 64-bit code only, as on Intel
  bool osxsave = false;  // CR4.OSXSAVE
  u64 xcr0 = 1;
};

inline constexpr u32 kCpuSignature = 0x000606A6;  // family 6, model 106, stepping 6; also EDX after reset

// Sizes and offsets of the standard XSAVE format (Intel SDM vol. 1, 13.4).
inline constexpr u32 kXsaveLegacyBytes = 512 + 64;
inline constexpr u32 kXsaveAvxBytes = 256;
// Components that the features allow in XCR0: x87 and SSE always, AVX with its feature.
u64 allowed_xcr0(const CpuFeatures& features);

CpuidLeaf cpuid(const CpuIdentity& cpu, const CpuidState& state, u32 leaf, u32 subleaf);

}  // namespace pileus::engine
