// Stubs: the host code that every translated block shares: ways in, ways out, and calls from there to C++.
#pragma once

#include <array>
#include <cstddef>

#include "engine/bt/assembler.h"
#include "engine/bt/code_cache.h"

namespace pileus::engine::bt {

// C++ functions that generated code calls with all guest state saved in the Context. They return host code to go on
// at, with guest state loaded again, or nullptr to return from Stubs::enter.
using Callout = u8* (*)(Context* context, const Site* site, u64 address);

struct Callouts {
  Callout fast_memory;    // tried before `memory`, see fast_path.h
  Callout fast_fault;     // tried between the two
  Callout fast_group;  // tried before `group`
  Callout group;  // not all bytes of a group of accesses are where the TLB leads (groups.h)
  Callout fast_indirect;  // tried before `indirect`
  Callout fast_system;    // tried before `interpret` at a SystemSite (fast_system.h)
  Callout fast_step;      // tried before `step`
  Callout fast_straddle;  // tried before both, see fast_path.h
  Callout step;        // an instruction that the interpreter has to fetch
  Callout memory;      // data TLB miss; `address` is the guest's virtual address
  Callout link;        // exit to another block on the page, not linked yet
  Callout interpret;   // an instruction for the interpreter
  Callout indirect;    // jump cache miss; `address` is the guest RIP
  Callout poll;        // exit_request or irq_waiting seen
  Callout trap;        // a host signal at Context::trap_pc
};

struct Stubs {
  // Runs `code` with the guest's registers loaded until something leaves.
  void (*enter)(Context* context, const u8* code) = nullptr;
  const u8* memory = nullptr;
  const u8* group = nullptr;
  const u8* link = nullptr;
  const u8* interpret = nullptr;
  const u8* system = nullptr;
  const u8* step = nullptr;
  const u8* straddle = nullptr;  // a StraddleSite's
  const u8* poll = nullptr;
  const u8* trap = nullptr;
  const u8* leave = nullptr;                     // saves the guest's state and returns from enter
  const u8* indirect = nullptr;  // RCX = guest RIP
  std::array<const u8*, kModeCount> go{};  // to Context::rip by way of the jump cache
  // Called with an address in RCX; RCX = 0 when Tlb::stack leads there now. [mode][write]; for 8 bytes, aligned.
  std::array<std::array<const u8*, 2>, kModeCount> use_for_stack{};
  const u8* arrived_wrongly = nullptr;  // RCX = guest RIP - vpage of the block, R10 = ~vpage
  std::array<const u8*, kReturnSides> return_underflow{};  // RCX = guest RIP; more returns than calls
  std::array<const u8*, kReturnSides> return_elsewhere{};  // RCX = guest RIP - vpage of the call, R10 = ~vpage
};

// Where a TLB is in the Context.
inline u64 tlb_offset(Mode mode, bool write) {
  return offsetof(Context, tlb) + (u64{mode} * 2 + (write ? 1 : 0)) * sizeof(Tlb);
}

// Emits the stubs at the assembler's place.
// `ymm`: the guest has the upper halves of the vector registers, too.
Stubs emit_stubs(Assembler& out, const Callouts& callouts, bool ymm);

// A block's arrival: goes on behind itself when RCX, the guest RIP, is that of the block, by the key in the jump cache's
// slot of which R10 is the index.
void emit_arrival(Assembler& out, Mode mode, u16 page_offset, const Stubs& stubs);

// The jump through the jump cache of `mode` to the guest RIP in RCX, leaving the flags alone.
void emit_indirect_jump(Assembler& out, Mode mode, const Stubs& stubs);
// The same by a host CALL. Not for kModeKernelAc.
void emit_indirect_call(Assembler& out, Mode mode);

}  // namespace pileus::engine::bt
