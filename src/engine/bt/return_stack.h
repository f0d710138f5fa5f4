// ReturnStack: what translated code foresees of the guest's returns, in a form that the host's processor foresees too.
//
// While translated code runs, RSP points into it. A guest CALL stores its return address on the guest's stack, pushes
// Context::vpage here and reaches its target by a host CALL. A guest RET loads the return address from the guest's stack
// and ends in a host RET, which so leads to the code behind the host CALL. There the address is compared with the one
// that the CALL stored, for the guest may return to anywhere. Nothing the guest does depends on what is found here: an
// entry that does not fit only sends the return through the jump cache.
//
// Entries rely on the mapping of their page as cached jumps do, and are forgotten when those are. There is one stack for
// each side of the privilege border.
#pragma once

#include <array>

#include "base/ints.h"
#include "base/result.h"
#include "os/mapping.h"

namespace pileus::engine::bt {

struct Context;
struct Stubs;

inline constexpr unsigned kReturnSides = 2;  // CPL 0, CPL 3
inline constexpr u64 kReturnFrame = 16;  // vpage, host address

// The part of it in Context.
struct ReturnStack {
  u64 rsp = 0;  // of the current side; in host RSP while translated code runs
  unsigned side = 0;  // the current one
  u64 other_rsp = 0;  // of the other one
  std::array<u64, kReturnSides> base{};  // RSP of an empty stack; it points at the way out when returns outnumber calls
  std::array<u64, kReturnSides> limit{};
};

// Memory for one vCPU's; a page that must not be touched lies below each side.
Result<os::Mapping> create_return_stack(ReturnStack* stack, const Stubs& stubs);

// Forgets a side's entries. The vCPU's thread outside of translated code, or anybody while it stands still.
void forget_returns(ReturnStack& stack, unsigned side);

// Makes `side` the current one.
inline void select_returns(ReturnStack& stack, unsigned side) {
  if (stack.side == side) return;
  const u64 other = stack.other_rsp;
  stack.other_rsp = stack.rsp;
  stack.rsp = other;
  stack.side = side;
}

// RSP to go on with when an access to `address` failed, or 0 when that has nothing to do with a full return stack.
u64 after_overflow(const ReturnStack& stack, u64 address);

}  // namespace pileus::engine::bt
