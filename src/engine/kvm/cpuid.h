// What CPUID shows to a guest of this engine.
#pragma once

#include "base/ints.h"
#include "base/result.h"
#include "engine/kvm/device.h"

namespace pileus::engine::kvm {

// What CPUID says beside the processor's model.
struct CpuidShape {
  u32 apic_id = 0;
  u32 cpu_count = 1;
  u64 tsc_khz = 0;
  u64 apic_cycle_ns = 1;
  bool paravirt = true;
};

// Pure: the leaves of a vCPU, from those that KVM supports.
std::vector<kvm_cpuid_entry2> make_cpuid(const std::vector<kvm_cpuid_entry2>& supported, const CpuidShape& shape);

Result<> set_cpuid(int vcpu_fd, const Device& device, const CpuidShape& shape);

}  // namespace pileus::engine::kvm
