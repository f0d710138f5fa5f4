// Between CpuState and the structures of KVM that say the same in another format. Pure functions.
#pragma once

#include <linux/kvm.h>

#include "base/ints.h"
#include "engine/cpu_state.h"

namespace pileus::engine::kvm {

kvm_segment encode_segment(const Segment& segment);
Segment decode_segment(const kvm_segment& segment);

// False for an all-zero page, which is no APIC's state: the vCPU keeps the one it has.
bool has_lapic(const LapicState& state);

// What the APIC timer of a vCPU counts by, and the guest's time at the moment of the snapshot.
struct LapicClock {
  u64 guest_ns = 0;
  u64 ns_per_cycle = 1;  // of the timer's input clock
};

// `page` is that of the vCPU now: registers that CpuState does not have stay. The APIC's id is the vCPU's own, whatever
// `state` says.
void encode_lapic(const LapicState& state, u32 id, const LapicClock& clock, kvm_lapic_state* page);
LapicState decode_lapic(const kvm_lapic_state& page, const LapicClock& clock);

// A one-shot count that has come to its end: KVM does not say whether its interrupt has been requested.
bool has_run_down(const LapicState& state);
// Whether a count that was to end at `due_ns` (0: none) has ended by now, which is `guest_ns`. Nothing but KVM has touched the
// timer in between.
bool has_expired(const LapicState& state, u64 due_ns, u64 guest_ns);
// As the timer does at its end: nothing when it is masked.
void request_timer_interrupt(LapicState* state);

// Takes an interrupt back that the APIC has handed to the processor, but that has not been delivered: from in service to
// requested. CpuState has no place for what is between the two.
void put_back_interrupt(u8 vector, LapicState* state);

}  // namespace pileus::engine::kvm
