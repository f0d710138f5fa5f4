// Guest virtual memory: page walks, TLB fills and data access for C++ code.
//
// Functions return false when the access faults; the exception is then in context.fault and nothing was changed.
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

// Walks the guest's page tables (none, legacy 32-bit, PAE, 4-level; Intel SDM vol. 3, chapter 4) with all checks
// (present, W/U, NX, WP, SMEP, SMAP, reserved bits, canonical) for an access by privilege `mode`, setting A and, for
// a write, D bits atomically. On success *gpa is the guest-physical address of `va`.
bool translate(Context& context, u64 va, Access access, Mode mode, u64* gpa);

// Called on a data TLB miss of translated code. Walks; when the page is RAM (and, for a write, free of translated
// code) fills the entry and sets *filled. When it is MMIO or a code page, *filled stays false and the instruction
// has to be interpreted.
bool fill_tlb(Context& context, u64 va, Access access, Mode mode, bool* filled);

// CR0.AM and EFLAGS.AC have user accesses of 2, 4 and 8 bytes that are not aligned raise #AC.
inline bool checks_alignment(const Context& context, Mode mode) {
  return mode == kModeUser && context.ac_flag != 0 && (context.cr0 >> 18 & 1) != 0;
}

// Data access at the privilege of `mode`; handles page crossing, MMIO and code pages. A write that crosses pages
// checks both before it changes anything. `size` up to 4096. Linear addresses: segmentation is the caller's.
bool read_memory(Context& context, u64 va, void* out, unsigned size, Mode mode);
bool write_memory(Context& context, u64 va, const void* data, unsigned size, Mode mode);
// Reads for instruction fetch: up to `size` bytes, less when the next page faults; *got is how many. False (a fault)
// only when not even the first byte can be fetched.
bool fetch_code(Context& context, u64 va, u8* out, unsigned size, unsigned* got);

// For a locked read-modify-write: the host address when [va, va + size) is RAM within one page, writable; *host is
// nullptr when it is not (the caller then uses an exclusive section and read_memory/write_memory).
// After storing through *host, call wrote_memory with the same range.
bool pin_memory(Context& context, u64 va, unsigned size, Mode mode, u8** host, u64* gpa);
void wrote_memory(Context& context, u64 gpa, unsigned size);

// Typed helpers.
template <typename T>
bool read_value(Context& context, u64 va, T* value, Mode mode) {
  return read_memory(context, va, value, sizeof(T), mode);
}
template <typename T>
bool write_value(Context& context, u64 va, T value, Mode mode) {
  return write_memory(context, va, &value, sizeof(T), mode);
}

void flush_tlb_all(Context& context);         // CR0/CR4 changes, global pages too
void flush_tlb_non_global(Context& context);  // of the current PCID (spaces.h has the others)
void flush_tlb_page(Context& context, u64 va);
// Drops every write-TLB entry of this vCPU that maps host page `host_page`. Only on its own thread or while it is
// stopped in an exclusive section.
void flush_tlb_writes_to(Context& context, const u8* host_page);
// Forgets cached jumps, those of user code in all address spaces.
void flush_jumps(Context& context, Mode mode);

}  // namespace pileus::engine::bt
