// CpuState: everything architectural about one vCPU, complete enough that a paused vCPU can be written out and
// continued by another process, host or engine. No engine's own bookkeeping belongs here.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/ints.h"

namespace pileus::engine {

// A segment register with its hidden part. `attributes` are bits 8-15 and 20-23 of the descriptor's second word,
// moved to bits 0-7 and 12-15 (type, S, DPL, P; AVL, L, D/B, G), as in the VMX access rights; bit 16 set = unusable.
struct Segment {
  u16 selector = 0;
  u32 attributes = 0;
  u32 limit = 0;  // in bytes, granularity already applied
  u64 base = 0;
};

struct DescriptorTable {
  u64 base = 0;
  u16 limit = 0;
};

enum SegmentIndex : unsigned { kEs, kCs, kSs, kDs, kFs, kGs, kSegmentCount };
enum GprIndex : unsigned {
  kRax,
  kRcx,
  kRdx,
  kRbx,
  kRsp,
  kRbp,
  kRsi,
  kRdi,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15
};

// A local APIC as its register page (Intel SDM vol. 3, table 11-1), 16 bytes apart, low word used.
struct LapicState {
  std::array<u32, 64> registers{};  // index = x2APIC MSR - 0x800
  u64 base_msr = 0xFEE00900;        // IA32_APIC_BASE
  u64 tsc_deadline = 0;
  u64 timer_initial_ns = 0;  // guest time, by its TSC, when a one-shot or periodic count ends next; 0: none counts
};

enum class RunState : u8 { kRunning, kHalted, kWaitForSipi, kShutdown };

struct CpuState {
  std::array<u64, 16> gpr{};
  u64 rip = 0;
  u64 rflags = 2;
  std::array<Segment, kSegmentCount> segment{};
  Segment ldtr;
  Segment tr;
  DescriptorTable gdtr;
  DescriptorTable idtr;
  u64 cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, cr8 = 0, xcr0 = 1;
  u64 efer = 0;
  std::array<u64, 8> dr{};
  // XSAVE area in standard format: 512 bytes legacy, 64 bytes header, AVX upper halves at 576.
  alignas(64) std::array<u8, 1024> xsave{};

  // MSRs that hold state, by number. Those with a field above (EFER, FS_BASE, APIC_BASE, ...) are not repeated.
  struct Msr {
    u32 index;
    u64 value;
  };
  std::vector<Msr> msrs;
  u64 tsc = 0;  // the guest's TSC at the moment of the snapshot

  LapicState lapic;
  RunState run_state = RunState::kRunning;

  // Events in flight.
  bool nmi_pending = false;
  bool nmi_blocked = false;
  bool interrupt_shadow = false;  // after STI or MOV SS
  // Raised and not delivered yet: nothing is on the stack. Of a trap, RIP is behind its instruction. CR2 is set.
  struct Exception {
    u8 vector = 0;
    bool has_error = false;
    u32 error = 0;
  };
  std::optional<Exception> exception;
};

}  // namespace pileus::engine
