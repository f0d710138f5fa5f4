#include "engine/kvm/cpuid.h"

#include "engine/engine.h"

#include <algorithm>

namespace pileus::engine {

Result<CpuFeatures> kvm_cpu_features() {
  const kvm::Device device = TRY(kvm::Device::open());
  return kvm::supported_features(device.supported_cpuid());
}

namespace kvm {

namespace {

using enum FeatureWord;

constexpr u32 bit(unsigned i) { return 1U << i; }

constexpr u32 kPolicyLeaves = 0x16;
constexpr u32 kTscFrequency = 0x15;
constexpr u32 kHypervisor = 0x40000000, kParavirt = 0x40000001;
constexpr u32 kExtended = 0x80000000, kExtendedLeaves = 0x80000008, kSpeculationAmd = 0x80000021;
constexpr u64 kPolicyCycleNs = 100;  // the 10 MHz that leaf 0x15 tells of

// CLOCKSOURCE NOP_IO_DELAY CLOCKSOURCE2 STEAL_TIME PV_EOI PV_UNHALT PV_TLB_FLUSH PV_SEND_IPI POLL_CONTROL
// PV_SCHED_YIELD CLOCKSOURCE_STABLE; no asynchronous page faults, which CpuState has no place for
constexpr u32 kParavirtBits =
    bit(0) | bit(1) | bit(3) | bit(5) | bit(6) | bit(7) | bit(9) | bit(11) | bit(12) | bit(13) | bit(24);
constexpr u32 kMsiExtendedDestination = bit(15);  // ours: Vm::signal_msi

// Leaf 0x80000008, EBX: IBPB IBRS STIBP and their kin, SSBD and its kin, IBPB_RET.
constexpr u32 kSpeculation8Ebx = bit(12) | bit(14) | bit(15) | bit(16) | bit(17) | bit(18) | bit(19) | bit(24) |
                                 bit(25) | bit(26) | bit(29) | bit(30);
// Leaf 7, subleaf 2, EDX: PSFD IPRED_CTRL RRSBA_CTRL BHI_CTRL.
constexpr u32 kSpeculation72Edx = bit(0) | bit(1) | bit(2) | bit(4);

kvm_cpuid_entry2 find(const std::vector<kvm_cpuid_entry2>& entries, u32 leaf, u32 subleaf = 0) {
  for (const kvm_cpuid_entry2& entry : entries) {
    const bool counts = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0;
    if (entry.function == leaf && (!counts || entry.index == subleaf)) return entry;
  }
  return {};
}

u32 subleaves_of(u32 leaf) {
  switch (leaf) {
    case 4: return 5;
    case 7:
    case 0xB:
    case 0xD: return 3;
    default: return 0;  // 0: the leaf has none
  }
}

// The host's vendor, family, model and stepping; what it tells of speculation; physical addresses no wider than here.
void take_identity(const std::vector<kvm_cpuid_entry2>& supported, kvm_cpuid_entry2* entry) {
  const kvm_cpuid_entry2 host = find(supported, entry->function);
  switch (entry->function) {
    case 0: entry->ebx = host.ebx, entry->ecx = host.ecx, entry->edx = host.edx; return;
    case 1: entry->eax = host.eax; return;
    case 7: {
      const u32 speculation = find(supported, 7, 2).edx & kSpeculation72Edx;
      if (entry->index == 0) entry->eax = speculation != 0 ? 2 : 0;
      if (entry->index == 2) entry->edx = speculation;
      return;
    }
    case kExtended: entry->ebx = host.ebx, entry->ecx = host.ecx, entry->edx = host.edx; return;
    case kExtendedLeaves:
      entry->eax = (entry->eax & ~0xFFU) | std::min(entry->eax & 0xFF, host.eax & 0xFF);
      entry->ebx = host.ebx & kSpeculation8Ebx;
      return;
    default: return;
  }
}

}  // namespace

CpuFeatures supported_features(const std::vector<kvm_cpuid_entry2>& supported) {
  CpuFeatures out;
  const kvm_cpuid_entry2 first = find(supported, 1), seventh = find(supported, 7), amd = find(supported, 0x80000001);
  out[k1Ecx] = first.ecx;
  out[k1Edx] = first.edx;
  out[k7Ebx] = seventh.ebx;
  out[k7Ecx] = seventh.ecx;
  out[k7Edx] = seventh.edx;
  out[kD1Eax] = find(supported, 0xD, 1).eax;
  out[k80000001Ecx] = amd.ecx;
  out[k80000001Edx] = amd.edx;
  return out;
}

u32 paravirt_bits(const std::vector<kvm_cpuid_entry2>& supported) {
  return (find(supported, kParavirt).eax & kParavirtBits) | kMsiExtendedDestination;
}

std::vector<kvm_cpuid_entry2> make_cpuid(const std::vector<kvm_cpuid_entry2>& supported, const CpuIdentity& cpu,
                                         u32 apic_id, u64 apic_cycle_ns) {
  std::vector<kvm_cpuid_entry2> out;
  const CpuidState state{.apic_id = apic_id};  // KVM itself follows CR4 and XCR0
  const auto add = [&](u32 leaf, u32 subleaf, bool counts) {
    const CpuidLeaf answer = cpuid(cpu, state, leaf, subleaf);
    kvm_cpuid_entry2 entry{};
    entry.function = leaf;
    entry.index = subleaf;
    entry.flags = counts ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
    entry.eax = answer.eax, entry.ebx = answer.ebx, entry.ecx = answer.ecx, entry.edx = answer.edx;
    take_identity(supported, &entry);
    out.push_back(entry);
  };
  const auto add_leaf = [&](u32 leaf) {
    const u32 subleaves = subleaves_of(leaf);
    for (u32 i = 0; i < std::max<u32>(subleaves, 1); ++i) add(leaf, i, subleaves != 0);
  };
  for (u32 leaf = 0; leaf <= kPolicyLeaves; ++leaf) {
    if (leaf != kTscFrequency || apic_cycle_ns == kPolicyCycleNs) add_leaf(leaf);
  }
  if (cpu.paravirt) {
    for (u32 leaf = kHypervisor; leaf <= kParavirt; ++leaf) add_leaf(leaf);
  }
  for (u32 leaf = kExtended; leaf <= kExtendedLeaves; ++leaf) add_leaf(leaf);
  kvm_cpuid_entry2 speculation = find(supported, kSpeculationAmd);
  if (speculation.function == kSpeculationAmd) {
    speculation.ebx = speculation.ecx = speculation.edx = 0;
    out.push_back(speculation);
    for (kvm_cpuid_entry2& entry : out) {
      if (entry.function == kExtended) entry.eax = kSpeculationAmd;
    }
  }
  return out;
}

}  // namespace kvm
}  // namespace pileus::engine
