// What a debugger may ask of a vCPU, and what it is told when the vCPU stops. Part of the engine seam.
//
// The guest sees none of it: no byte of its memory and no register, its own debug registers among them, is changed.
// Addresses are linear ones (for 64-bit code, virtual ones), in whatever address space the guest then is.
#pragma once

#include <vector>

#include "base/ints.h"

namespace pileus::engine {

struct Breakpoint {
  enum class Kind : u8 {
    kExecute,  // stops before the instruction that starts at `address`
    kWrite,    // the others stop behind an instruction that touched a byte of [address, address + length)
    kRead,
    kAccess,  // either
  };
  Kind kind = Kind::kExecute;
  u64 address = 0;
  u64 length = 1;
  bool operator==(const Breakpoint&) const = default;
};

struct DebugSettings {
  // Stop behind one instruction or, when that faults, before the first one of its handler. Interrupts wait meanwhile,
  // unless the vCPU is halted.
  bool single_step = false;
  std::vector<Breakpoint> breakpoints;
  bool empty() const { return !single_step && breakpoints.empty(); }
};

struct DebugStop {
  enum class Cause : u8 { kStep, kBreakpoint };
  Cause cause = Cause::kStep;
  Breakpoint breakpoint;  // for kBreakpoint: which; for a watched range, `address` is the byte that was touched
};

}  // namespace pileus::engine
