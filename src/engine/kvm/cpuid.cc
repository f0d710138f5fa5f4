#include "engine/kvm/cpuid.h"

#include "engine/kvm/list.h"

namespace pileus::engine::kvm {

namespace {

constexpr u32 bit(unsigned i) { return 1U << i; }

constexpr u32 kHypervisorBase = 0x40000000, kParavirtFeatures = 0x40000001;
constexpr u32 kTopology = 0xB, kFrequency = 0x15;

// x86-64-v2 and what a kernel likes beside it. Bits of leaf 1, 7 and 0x80000001; what KVM does not have drops out.
// SSE3 PCLMUL SSSE3 CX16 SSE4.1 SSE4.2 x2APIC MOVBE-less POPCNT TSC-deadline AES RDRAND hypervisor
constexpr u32 kLeaf1Ecx =
    bit(0) | bit(1) | bit(9) | bit(13) | bit(19) | bit(20) | bit(21) | bit(23) | bit(24) | bit(25) | bit(30) | bit(31);
// FSGSBASE SMEP ERMS RDSEED ADX SMAP SHA
constexpr u32 kLeaf7Ebx = bit(0) | bit(7) | bit(9) | bit(18) | bit(19) | bit(20) | bit(29);
// FSRM SPEC_CTRL STIBP ARCH_CAPABILITIES SSBD
constexpr u32 kLeaf7Edx = bit(4) | bit(26) | bit(27) | bit(29) | bit(31);
// CLOCKSOURCE NOP_IO_DELAY CLOCKSOURCE2 STEAL_TIME PV_EOI PV_UNHALT PV_TLB_FLUSH PV_SEND_IPI POLL_CONTROL
// PV_SCHED_YIELD CLOCKSOURCE_STABLE; no asynchronous page faults, which CpuState has no place for
constexpr u32 kParavirt =
    bit(0) | bit(1) | bit(3) | bit(5) | bit(6) | bit(7) | bit(9) | bit(11) | bit(12) | bit(13) | bit(24);
constexpr u32 kMsiExtendedDestination = bit(15);  // ours: Vm::signal_msi

bool is_shown(const kvm_cpuid_entry2& entry, bool paravirt) {
  if (entry.function >= kHypervisorBase && entry.function < kHypervisorBase + 0x100) {
    return paravirt && entry.function <= kParavirtFeatures;
  }
  switch (entry.function) {
    case 5:     // MONITOR
    case 0xA:   // performance counters
    case 0xD:   // XSAVE
    case kTopology:
    case kFrequency:
    case 0x8000000A:  // nested virtualization
    case 0x8000001E:  // topology, AMD's way
      return false;
    default: return entry.function != 7 || entry.index == 0;
  }
}

void limit_features(const CpuidShape& shape, kvm_cpuid_entry2* entry) {
  switch (entry->function) {
    case 1: {
      const bool several = shape.cpu_count > 1;
      entry->ebx = shape.apic_id << 24 | (shape.cpu_count & 0xFF) << 16 | (entry->ebx & 0xFFFF);
      entry->ecx &= kLeaf1Ecx;
      entry->edx = (entry->edx & ~bit(28)) | (several ? bit(28) : 0);
      return;
    }
    case 7:
      entry->eax = 0;
      entry->ebx &= kLeaf7Ebx;
      entry->ecx = 0;
      entry->edx &= kLeaf7Edx;
      return;
    case kHypervisorBase: entry->eax = kParavirtFeatures; return;
    case kParavirtFeatures:
      entry->eax = (entry->eax & kParavirt) | kMsiExtendedDestination;
      entry->edx = 0;
      return;
    case 0x80000001: entry->ecx &= bit(0); return;  // LAHF
    case 0x80000008: entry->ecx = 0; return;
    default: return;
  }
}

kvm_cpuid_entry2 leaf(u32 function, u32 index, u32 eax, u32 ebx, u32 ecx, u32 edx) {
  kvm_cpuid_entry2 out{};
  out.function = function;
  out.index = index;
  out.flags = function == kTopology ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
  out.eax = eax, out.ebx = ebx, out.ecx = ecx, out.edx = edx;
  return out;
}

}  // namespace

std::vector<kvm_cpuid_entry2> make_cpuid(const std::vector<kvm_cpuid_entry2>& supported, const CpuidShape& shape) {
  std::vector<kvm_cpuid_entry2> out;
  for (kvm_cpuid_entry2 entry : supported) {
    if (!is_shown(entry, shape.paravirt)) continue;
    limit_features(shape, &entry);
    out.push_back(entry);
  }
  u32 shift = 0;
  while ((1U << shift) < shape.cpu_count) ++shift;
  out.push_back(leaf(kTopology, 0, 0, 1, 0 | 1 << 8, shape.apic_id));
  out.push_back(leaf(kTopology, 1, shift, shape.cpu_count, 1 | 2 << 8, shape.apic_id));
  out.push_back(leaf(kTopology, 2, 0, 0, 2, shape.apic_id));
  return out;
}

Result<> set_cpuid(int vcpu_fd, const Device& device, const CpuidShape& shape) {
  List<kvm_cpuid_entry2> list(make_cpuid(device.supported_cpuid(), shape));
  TRY(call(vcpu_fd, list_request(KVM_SET_CPUID2), list.argument(), "KVM_SET_CPUID2"));
  return {};
}

}  // namespace pileus::engine::kvm
