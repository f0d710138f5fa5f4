// Helpers that segment loads, far transfers and event delivery share.
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

bool is_real_mode(const Context& context);

// The raw 8 bytes of a descriptor; #GP(selector) (or `vector`) when the selector is outside of its table. *address is
// where it lies, for the accessed and busy bits.
bool read_descriptor(Context& context, u16 selector, u8 vector, u64* raw, u64* address);
Segment segment_of(u16 selector, u64 raw);
// CS or SS for real mode.
Segment real_segment(u16 selector);
// A code segment for the given privilege, checks done, CPL and CS replaced.
void set_code_segment(Context& context, u16 selector, u64 raw, unsigned cpl);
// Flat SS with a null selector, as 64-bit mode makes it on a change of privilege.
Segment null_stack_segment(unsigned cpl);

// Whether `size` bytes at `offset` lie within the limit.
bool is_within(const Segment& segment, u64 offset, unsigned size);
// RIP in a code segment: canonical in 64-bit mode, within the limit in any other; else #GP(0).
bool check_code_offset(Context& context, u64 raw, u64 offset);

// Supervisor accesses whatever CPL is: descriptor tables, TSS, stacks of inner rings.
bool read_system(Context& context, u64 va, void* out, unsigned size);
bool write_system(Context& context, u64 va, const void* data, unsigned size);

}  // namespace pileus::engine::bt
