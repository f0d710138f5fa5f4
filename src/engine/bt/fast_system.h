// The interpreter's part of the guest's kernel entries, exits and string instructions, run from translated code with the
// guest's vector registers in place: see fast_path.h. That is several times faster than the way through Stubs::interpret,
// which saves and loads all of them.
#pragma once

#include "engine/bt/code_cache.h"
#include "engine/bt/interp_handlers.h"

namespace pileus::engine::bt {

// What generated code passes for such an instruction; the code to go on at stands right behind.
struct __attribute__((packed)) SystemSite {
  InsnSite insn;
  Handler handler;
  u16 page_offset;
  Mode mode;  // of the block
  bool falls_through;  // the block goes on behind the instruction
};

// The interpreter's handler when the instruction may be run so, else nullptr.
Handler fast_handler(const Insn& insn);

// Callouts. They answer nullptr when the slow path has to do all.
u8* fast_system(Context* context, const Site* site, u64 address);
// An instruction that reaches into the next page.
u8* fast_step(Context* context, const Site* site, u64 address);
// An access that fast_memory() refused because it faults: delivers the exception.
u8* fast_fault(Context* context, const Site* site, u64 address);

}  // namespace pileus::engine::bt
