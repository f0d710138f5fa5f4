// The KVM paravirtual interface: clock, PV EOI, steal time, hypercalls (Linux Documentation/virt/kvm/x86).
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

// False: no such MSR, or the interface is switched off.
bool read_paravirt_msr(Context& context, u32 index, u64* value);
bool write_paravirt_msr(Context& context, u32 index, u64 value);

// Around HLT: the guest sees the vCPU as preempted and may ask for a TLB flush instead of sending an IPI.
void paravirt_halt_begin(Context& context);
void paravirt_halt_end(Context& context);

// The PV EOI flag in guest memory. set: the guest may end the interrupt without an exit. ended: withdraws the offer and
// says whether the guest had used it. standing: not used so far; changes nothing.
bool paravirt_eoi_set(Context& context);
bool paravirt_eoi_ended(Context& context);
bool paravirt_eoi_standing(Context& context);

}  // namespace pileus::engine::bt
