// Context: the working state of one vCPU of the binary translator.
//
// While translated code runs, GS points at the Context and part of it lives in host registers (see registers.h).
// Everywhere else, in all C++ code, the Context is complete: every transition out of translated code saves the
// guest's general registers, arithmetic flags, vector registers and MXCSR here and every transition back loads
// them. Only the x87 registers stay in the host's FPU for the whole of Vcpu::run(): no C++ code on a vCPU thread may
// use long double or MMX.
//
// One thread, the vCPU's, owns the Context; the fields marked (any thread) are the exceptions.
#pragma once

#include <array>
#include <atomic>

#include "base/ints.h"
#include "engine/bt/return_stack.h"
#include "engine/bt/spaces.h"
#include "engine/cpu_state.h"
#include "engine/profile.h"

namespace pileus::engine::bt {

class Vm;
class Lapic;
namespace direct {
class Direct;
}
class Debug;
struct SampleRing;
class NativeCells;
struct DecodeCache;

inline constexpr u64 kNoSpace = ~u64{0};  // no value of CR3

// What a translated block may assume about privilege; each has its own data TLBs.
enum Mode : u8 {
  kModeKernel,    // CPL 0, EFLAGS.AC clear: user pages are out of reach when CR4.SMAP is set
  kModeKernelAc,  // CPL 0, EFLAGS.AC set
  kModeUser,      // CPL 3
  kModeCount,
};

// Floating-point and vector instructions that may execute now.
enum Usable : u8 {
  kUsableSse = 1,  // x87, MMX, SSE: CR0.EM and TS clear, CR4.OSFXSR set
  kUsableAvx = 2,  // VEX-encoded ones: CR0.TS clear, CR4.OSXSAVE set, SSE and AVX state in XCR0
};

enum class Access : u8 { kRead, kWrite, kExecute };

inline constexpr unsigned kTlbBits = 12;
inline constexpr unsigned kTlbSize = 1U << kTlbBits;

// Direct-mapped by virtual page number. Invariants:
// 1. entry i is a hit for va iff 0 <= va + neg_tag[i] < 4096, where i = (va >> 12) % kTlbSize;
// 2. on a hit va + addend[i] is the host address of the byte, in RAM, and the access is allowed in this mode;
// 3. an entry in a write TLB has its PTE's dirty bit set and its page holds no translated code;
// 4. the invalid neg_tag of slot i belongs to a page of neither slot i nor i + 1: no access from a page of slot i hits it;
// 5. host_page is the host address of the page's first byte (addend + va of the page);
// 6. non_global has the bit of every entry whose mapping is not global, global that of every other one; both may have those
//    of invalid ones.
struct Tlb {
  std::array<u64, kTlbSize> neg_tag;
  std::array<u64, kTlbSize> addend;
  std::array<u64, kTlbSize> host_page;
  // One entry more, for what is addressed by RSP and a displacement alone: the one entry that such accesses look at.
  // Invariants 1 to 3 hold for it as well; every flush drops it.
  struct Stack {
    u64 neg_tag;
    u64 addend;
  } stack;
  std::array<u64, kTlbSize / 64> non_global;  // bit slot % 64 of word slot / 64
  std::array<u64, kTlbSize / 64> global;  // the same
};

inline constexpr unsigned kJumpBits = 14;
inline constexpr unsigned kJumpSize = 1U << kJumpBits;
inline constexpr u64 kJumpMask = kJumpSize - 1;
inline constexpr unsigned kJumpGroup = kJumpSize / 64;

// Guest RIP -> translated code, for indirect branches. Direct-mapped by a hash of the RIP. The code is a block's arrival
// (code_cache.h), which finds out for itself whether it is meant, or Context::no_jump. Slot 0 stays empty: while somebody
// wants the vCPU out of translated code, Context::jump_mask is 0 and every jump looks there. User code's jumps are good
// in one address space, whose tag (spaces.h) is in their key.
struct JumpCache {
  std::array<std::atomic<u64>, kJumpSize> host;  // (any thread may store no_jump)
  std::array<u64, kJumpSize>
      key;  // complement of the virtual address of the block's page and, in its low bits, the tag
  u64 used;  // bit i: some of the kJumpGroup slots from i * kJumpGroup on may be filled
  // A filter: bits of the hashed virtual pages that jumps (of the current address space) lead to, or that returns of this
  // side (return_stack.h) may lead to. The second half is for the upper half of the addresses.
  std::array<u64, 128> pages;
};

inline constexpr unsigned kCodeTlbSize = 256;
inline constexpr u64 kNoPage = 1;

// Virtual page -> guest-physical page, for instruction fetch. Only RAM.
struct CodeTlb {
  std::array<u64, kCodeTlbSize> page;  // virtual address, or kNoPage
  std::array<u64, kCodeTlbSize> gpa;
};

// An exception on its way to the guest, recorded by whatever found it.
struct Fault {
  u8 vector = 0;
  bool has_error = false;
  u32 error = 0;
  u64 address = 0;  // CR2 for #PF
};

struct alignas(64) Context {
  // --- read and written by translated code; offsets are baked into it ---
  std::array<u64, 16> gpr;  // in GprIndex order
  u64 rip;  // current outside of translated code
  u64 vpage;  // inside it: virtual address of the page that the running block is on
  u64 rflags;  // arithmetic flags and the rest, but IF, DF and AC, which are the bytes below: use flags()
  u8 if_flag;  // 0 or 1
  u8 df_flag;
  u8 ac_flag;
  u8 cpl;
  // Nonzero: leave translated code at the next poll (backward branch, indirect branch, STI). (any thread)
  std::atomic<u32> exit_request;
  // An interrupt waits for IF; looked at by STI, POPF, IRET. Written by the vCPU thread only.
  u32 irq_waiting;
  std::atomic<bool> asleep;  // in Vm::sleep (any thread)
  u32 mxcsr;
  u32 host_mxcsr;  // what C++ code runs with
  u64 host_rsp;  // stack of the C++ code to come back to
  ReturnStack returns;
  u64 no_jump;  // host code of a jump that is not in the cache
  u64 void_page;  // host address of a page that nobody can touch
  Context* self;  // this
  u64 index_mask;  // pext mask: virtual address -> TLB index
  u64 page_mask;  // pext mask: address bits 12..63
  u64 offset_mask;  // the others
  std::array<u64, 2> bit_mask;  // pext mask: number of a bit in 32 and 64 bits
  std::array<u64, 4> stack_mask;  // the same, and the bits that are zero in what is aligned to 1, 2, 4, 8 bytes
  u64 flag_mask;  // the arithmetic flags
  u64 pushed_mask;  // what PUSHF pushes of Context::rflags beside them
  u64 jump_tag;  // of the current address space: below 4096
  std::atomic<u64> jump_mask;  // pext mask: mixed RIP -> JumpCache slot; kJumpMask or 0 (any thread)
  u64 scratch[4];
  u64 shared[4];  // addends that groups of accesses share (groups.h)
  u64 fast[4];  // what the fast callouts keep: target, address, site, flags
  bool native_fault;  // the native cell that just ran raised `fault`
  u64 trap_pc;  // host address of an instruction that raised a host signal
  u32 trap_number;  // x86 vector of it
  u8 usable;  // Usable bits that blocks are translated for
  std::array<Segment, kSegmentCount> segment;  // FS and GS bases are read by translated code
  alignas(64) std::array<std::array<u8, 32>, 16> vector;
  alignas(64) std::array<u8, 512> fx;  // x87 (and, across run(), all of it) in FXSAVE format

  // --- used by C++ only ---
  Segment ldtr, tr;
  DescriptorTable gdtr, idtr;
  u64 cr0, cr2, cr3, cr4, cr8, xcr0, efer;
  std::array<u64, 8> dr;
  u64 star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, tsc_aux, pat, misc_enable,
      mtrr_def_type, tsc_offset, spec_ctrl;
  std::array<u64, 16> mtrr_variable;
  std::array<u64, 11> mtrr_fixed;
  u64 pv_system_time_msr, pv_wall_clock_msr, pv_eoi_msr, pv_steal_time_msr, pv_poll_control, pv_async_pf_msr;

  std::atomic<bool> pv_kicked;  // wakes a halted vCPU without an interrupt (any thread)
  RunState run_state;
  bool shadow;  // the next instruction is in an interrupt shadow (STI, MOV SS)
  bool nmi_blocked;
  bool nmi_pending;
  u64 breakpoints_hit;  // bits of DR6 that the instruction has earned so far (debug_registers.h)
  bool kernel_code_non_global;  // kernel code was fetched through such a page
  bool far_links_non_global;  // far links rely on what a change of address space has to forget (far_links.h)
  // [x][0] is for what a change of address space leaves alone, and kModeKernel; [x][1] for the rest. x says whether in the
  // upper half of the addresses, which kernels map by large pages and programs do not have.
  std::array<std::array<LargePages, 2>, 2> large_pages;
  // Bit g set: slots [64 g, 64 g + 64) of the TLB are all invalid, so a flush may pass over them.
  std::array<std::array<u64, 2>, kModeCount> tlb_clean;
  Fault fault;  // valid when a function said so by returning false
  // C++ code runs with the guest's vector registers in place (fast_path.h): what may touch them answers false instead.
  bool vectors_in_place;

  u32 id;  // APIC id
  Vm* vm;
  Lapic* lapic;
  NativeCells* cells;
  DecodeCache* decoded;
  Debug* debug;  // nullptr: no debugger wants anything

  // For direct execution (direct/direct.h).
  direct::Direct* direct;
  std::atomic<int> direct_thread;  // the vCPU's thread while user code runs directly, else 0
  u64 direct_cr3;  // of an address space whose user code is worth to be run so
  u64 user_entries;  // how often CPL 3 was entered
  u64 tlb_flushes;  // how often anything was flushed

  // For profiles (sampler.h).
  std::atomic<SampleRing*> samples;  // nullptr: nobody wants any (any thread)
  std::atomic<int> run_thread;  // in run(): its thread, else 0 (any thread)
  std::atomic<u8> activity;  // an Activity, which counts while C++ code runs
  // Bit of `activity`: a callout that keeps the guest's state where it is; `fast` tells about it.
  static constexpr u8 kFast = 0x80;
  static constexpr u8 fast_activity(Activity what) { return static_cast<u8>(what) | kFast; }
  void doing(Activity what) { activity.store(static_cast<u8>(what), std::memory_order_relaxed); }
  void doing_fast(Activity what) { activity.store(fast_activity(what), std::memory_order_relaxed); }

  // Counters for `pileus vm stats`.
  struct Stats {
    u64 tlb_fills, spaces_kept, interpreted, fast_system, fast_faults, blocks_translated, blocks_loaded, block_lookups,
        exits, interrupts, exceptions, page_faults, halts, code_writes, direct_spaces, direct_runs, direct_faults,
        direct_ns;
  } stats;

  std::array<std::array<Tlb, 2>, kModeCount> tlb;  // [mode][0 = read, 1 = write]
  std::array<JumpCache, 2> jump;  // [0] kModeKernel, [1] kModeUser
  std::array<CodeTlb, 2> code_tlb;  // [0] CPL 0, [1] CPL 3
  Spaces spaces;

  u64 flags() const {
    return (rflags & ~((u64{1} << 9) | (u64{1} << 10) | (u64{1} << 18))) | u64{if_flag} << 9 | u64{df_flag} << 10 |
           u64{ac_flag} << 18 | 2;
  }
  void set_flags(u64 value) {
    rflags = (value & 0x3F7FD7) | 2;
    if_flag = (value >> 9) & 1;
    df_flag = (value >> 10) & 1;
    ac_flag = (value >> 18) & 1;
  }
  Mode mode() const { return cpl == 3 ? kModeUser : ac_flag != 0 ? kModeKernelAc : kModeKernel; }
  bool long_mode() const { return (efer & 0x400) != 0; }  // EFER.LMA
  bool code64() const { return long_mode() && (segment[kCs].attributes & 0x2000) != 0; }  // CS.L

  // Leave translated code at the next poll. Any thread, and signal handlers.
  void request_exit() {
    exit_request.store(1, std::memory_order_seq_cst);
    jump_mask.store(0, std::memory_order_seq_cst);
    if (const int thread = direct_thread.load(std::memory_order_seq_cst); thread != 0) interrupt_direct(thread);
  }
  static void interrupt_direct(int thread);  // signals.cc
  // The vCPU's thread, before it looks at what may have been the reason.
  void clear_exit_request() {
    exit_request.store(0, std::memory_order_seq_cst);
    jump_mask.store(kJumpMask, std::memory_order_seq_cst);
  }

  // CPL has become 3. Has the run loop look, where it may run this code otherwise.
  void entered_user() {
    ++user_entries;
    if (direct_cr3 == cr3) request_exit();
  }

  // Records an exception and returns false, so that a function can `return raise(...)`.
  bool raise(u8 number) {
    fault = {number, false, 0, 0};
    return false;
  }
  bool raise(u8 number, u32 error) {
    fault = {number, true, error, 0};
    return false;
  }
};

}  // namespace pileus::engine::bt
