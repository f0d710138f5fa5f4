// What CPUID shows to a guest of this engine: the policy of all engines (engine/cpuid.h), but for what the processor is.
//
// Under KVM the guest's instructions run on the host's processor, with that processor's speculation bugs. A guest kernel
// chooses its defences by vendor, family, model and some feature bits, so these are the host's own.
#pragma once

#include "engine/cpuid.h"
#include "engine/kvm/device.h"

namespace pileus::engine::kvm {

// What KVM on this host can show, in the words of a model.
CpuFeatures supported_features(const std::vector<kvm_cpuid_entry2>& supported);

// Pure: the leaves of one vCPU. `cpu` has the model's features, tsc_khz and cpu_count; `apic_cycle_ns` is what the timer
// of its local APIC counts by.
std::vector<kvm_cpuid_entry2> make_cpuid(const std::vector<kvm_cpuid_entry2>& supported, const CpuIdentity& cpu,
                                         u32 apic_id, u64 apic_cycle_ns);

// Of leaf 0x40000001.
u32 paravirt_bits(const std::vector<kvm_cpuid_entry2>& supported);

}  // namespace pileus::engine::kvm
