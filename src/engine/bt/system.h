// System instructions and registers: control registers, MSRs, CPUID, descriptor loads, privilege changes.
//
// Like everywhere: false means a fault is recorded in context.fault and nothing was changed. RIP is the caller's
// business but where a function says that it sets it.
#pragma once

#include "engine/bt/context.h"
#include "engine/cpuid.h"
#include "engine/engine.h"

namespace pileus::engine::bt {

bool write_cr(Context& context, unsigned index, u64 value);  // 0, 3, 4, 8; flushes TLBs as needed
bool read_cr(Context& context, unsigned index, u64* value);
bool write_dr(Context& context, unsigned index, u64 value);
bool read_dr(Context& context, unsigned index, u64* value);
bool read_msr(Context& context, u32 index, u64* value);
bool write_msr(Context& context, u32 index, u64 value);
void do_cpuid(Context& context);                // EAX, ECX in; EAX..EDX out
CpuIdentity bt_identity(const Config& config, const CpuFeatures& features);
u64 read_tsc(const Context& context);           // guest's TSC now
bool do_syscall(Context& context, u64 next_rip);  // these set RIP
bool do_sysret(Context& context, unsigned operand_bits);
bool do_sysenter(Context& context);
bool do_sysexit(Context& context, unsigned operand_bits);
bool do_swapgs(Context& context);

// Segment registers. load_segment is MOV/POP/LxS to ES, SS, DS, FS, GS in the current mode (real, protected, long).
bool load_segment(Context& context, SegmentIndex index, u16 selector);
// Far JMP, CALL and RET with a `bits`-wide offset: they set CS:RIP (and push or pop). `return_rip` is that behind the
// instruction.
bool far_jump(Context& context, u16 selector, u64 offset, u64 return_rip);
bool far_call(Context& context, u16 selector, u64 offset, unsigned bits, u64 return_rip);
bool far_return(Context& context, unsigned bits, unsigned extra_bytes);
bool load_ldt(Context& context, u16 selector);
bool load_tr(Context& context, u16 selector);
// LAR, LSL, VERR, VERW: *ok is the ZF they give.
bool load_access_rights(Context& context, u16 selector, u32* value, bool* ok);
bool load_limit(Context& context, u16 selector, u32* value, bool* ok);
bool verify_segment(Context& context, u16 selector, bool write, bool* ok);

// Port access is allowed (IOPL or the TSS bitmap); false = #GP recorded.
bool check_io(Context& context, u16 port, unsigned size);

// INIT and start-up states (Intel SDM vol. 3, table 9-1).
void reset_context(Context& context);
void start_at_sipi(Context& context, u8 vector);

// The hypercall instruction (VMCALL, VMMCALL) of the KVM paravirtual interface.
bool do_hypercall(Context& context);

}  // namespace pileus::engine::bt
