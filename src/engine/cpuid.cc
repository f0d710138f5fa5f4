// Linux takes GenuineIntel with the *_NO bits of IA32_ARCH_CAPABILITIES and enhanced IBRS as immune to Meltdown, MDS,
// TAA, L1TF and the rest, and skips page-table isolation and retpolines, which would be pure cost under translation.
#include "engine/cpuid.h"

#include <fmt/core.h>

#include <cstring>

namespace pileus::engine {

namespace {

using enum FeatureWord;

constexpr u32 bit(unsigned i) { return 1U << i; }

constexpr u32 kMaxLeaf = 0x16;
constexpr u64 kXcr0Avx = 4;

CpuidLeaf features(const CpuIdentity& cpu, const CpuidState& state) {
  const u32 osxsave = state.osxsave && cpu.features.has(k1Ecx, 26) ? bit(27) : 0;
  const u32 hyper_threading = cpu.cpu_count > 1 ? bit(28) : 0;
  return {kCpuSignature, state.apic_id << 24 | (cpu.cpu_count & 0xFF) << 16 | 8 << 8, cpu.features[k1Ecx] | osxsave,
          cpu.features[k1Edx] | hyper_threading};
}

CpuidLeaf caches(u32 subleaf) {
  // Deterministic cache parameters (SDM vol. 2, CPUID leaf 4): 48 KiB data, 32 KiB code, 1.25 MiB, 16 MiB
  switch (subleaf) {
    case 0: return {0x0121 | 0 << 26, (11U << 22) | 63, 63, 0};
    case 1: return {0x0122, (7U << 22) | 63, 63, 0};
    case 2: return {0x0143, (19U << 22) | 63, 1023, 0};
    case 3: return {0x0163, (15U << 22) | 63, 16383, bit(2)};
    default: return {};
  }
}

CpuidLeaf topology(const CpuIdentity& cpu, const CpuidState& state, u32 subleaf) {
  u32 shift = 0;
  while ((1U << shift) < cpu.cpu_count) ++shift;
  switch (subleaf) {
    case 0: return {0, 1, 0 | 1 << 8, state.apic_id};
    case 1: return {shift, cpu.cpu_count, 1 | 2 << 8, state.apic_id};
    default: return {0, 0, subleaf, state.apic_id};
  }
}

u32 xsave_bytes(u64 components) { return kXsaveLegacyBytes + ((components & kXcr0Avx) != 0 ? kXsaveAvxBytes : 0); }

CpuidLeaf extended_state(const CpuIdentity& cpu, const CpuidState& state, u32 subleaf) {
  if (!cpu.features.has(k1Ecx, 26)) return {};
  const u64 allowed = allowed_xcr0(cpu.features);
  switch (subleaf) {
    case 0: return {static_cast<u32>(allowed), xsave_bytes(state.xcr0), xsave_bytes(allowed), 0};
    // With XSAVEC but without XSAVES, EBX is the size of the compacted format, which is the standard one's here.
    case 1: return {cpu.features[kD1Eax], cpu.features.has(kD1Eax, 1) ? xsave_bytes(state.xcr0) : 0, 0, 0};
    case 2: return (allowed & kXcr0Avx) != 0 ? CpuidLeaf{kXsaveAvxBytes, kXsaveLegacyBytes, 0, 0} : CpuidLeaf{};
    default: return {};
  }
}

CpuidLeaf basic(const CpuIdentity& cpu, const CpuidState& state, u32 leaf, u32 subleaf) {
  switch (leaf) {
    case 0: return {kMaxLeaf, 0x756E6547, 0x6C65746E, 0x49656E69};  // GenuineIntel
    case 1: return features(cpu, state);
    case 2: return {0x00FEFF01, 0x000000F0, 0, 0};
    case 4: return caches(subleaf);
    case 6: return {bit(2), 0, 0, 0};  // ARAT
    case 7:
      if (subleaf == 2) return {0, 0, 0, cpu.features[k72Edx]};
      if (subleaf != 0) return {};
      return {cpu.features[k72Edx] != 0 ? 2U : 0U, cpu.features[k7Ebx], cpu.features[k7Ecx], cpu.features[k7Edx]};
    case 0xB: return topology(cpu, state, subleaf);
    case 0xD: return extended_state(cpu, state, subleaf);
    // TSC = 10 MHz crystal * EBX / EAX. Linux multiplies kHz by EBX in 32 bits, which bounds EAX.
    case 0x15: return {500, cpu.tsc_khz / 20, 10'000'000, 0};
    case 0x16: return {cpu.tsc_khz / 1000, cpu.tsc_khz / 1000, 100, 0};
    default: return {};
  }
}

CpuidLeaf hypervisor(const CpuIdentity& cpu, u32 leaf) {
  if (!cpu.paravirt) return {};
  if (leaf == 0x40000000) return {0x40000001, 0x4B4D564B, 0x564B4D56, 0x4D};  // KVMKVMKVM
  return {cpu.paravirt_bits, 0, 0, 0};
}

CpuidLeaf brand(const CpuIdentity& cpu, u32 part) {
  std::array<char, 48> text{};
  const std::string name = fmt::format("Pileus {} virtual processor ({})", cpu.engine, psabi_level(cpu.features));
  std::memcpy(text.data(), name.data(), std::min(name.size(), text.size() - 1));
  CpuidLeaf out;
  std::memcpy(&out, text.data() + u64{part} * 16, 16);
  return out;
}

CpuidLeaf extended(const CpuIdentity& cpu, const CpuidState& state, u32 leaf) {
  switch (leaf) {
    case 0x80000000: return {0x80000008, 0, 0, 0};
    case 0x80000001: {
      const u32 edx = cpu.features[k80000001Edx];
      return {0, 0, cpu.features[k80000001Ecx], state.code64 ? edx : edx & ~bit(11)};
    }
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: return brand(cpu, leaf - 0x80000002);
    case 0x80000006: return {0, 0, 0x05007040, 0};
    case 0x80000007: return {0, 0, 0, bit(8)};  // invariant TSC
    case 0x80000008: return {0x302E, 0, 0, 0};  // 46 physical, 48 virtual bits
    default: return {};
  }
}

}  // namespace

u64 allowed_xcr0(const CpuFeatures& features) {
  if (!features.has(k1Ecx, 26)) return 1;
  return 3 | (features.has(k1Ecx, 28) ? kXcr0Avx : 0);
}

CpuidLeaf cpuid(const CpuIdentity& cpu, const CpuidState& state, u32 leaf, u32 subleaf) {
  if (leaf >= 0x80000000) return extended(cpu, state, leaf);
  if (leaf >= 0x40000000 && leaf < 0x40000100) return hypervisor(cpu, leaf);
  return basic(cpu, state, leaf > kMaxLeaf ? kMaxLeaf : leaf, subleaf);
}

}  // namespace pileus::engine
