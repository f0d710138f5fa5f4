#include "engine/bt/return_stack.h"

#include <sys/mman.h>
#include <cstring>

#include "engine/bt/stubs.h"

namespace pileus::engine::bt {

namespace {
constexpr u64 kGuard = 4096;
constexpr u64 kSideBytes = 64 * kKiB;
}  // namespace

Result<os::Mapping> create_return_stack(ReturnStack* stack, const Stubs& stubs) {
  os::Mapping memory = TRY(os::Mapping::anonymous(kReturnSides * (kGuard + kSideBytes)));
  for (unsigned side = 0; side < kReturnSides; ++side) {
    u8* guard = memory.data() + side * (kGuard + kSideBytes);
    if (::mprotect(guard, kGuard, PROT_NONE) != 0) return Error::from_errno("protect the end of a return stack");
    stack->limit[side] = reinterpret_cast<u64>(guard) + kGuard;
    stack->base[side] = stack->limit[side] + kSideBytes - kReturnFrame;
    const u64 way_out = reinterpret_cast<u64>(stubs.return_underflow[side]);
    std::memcpy(guard + kGuard + kSideBytes - kReturnFrame, &way_out, sizeof way_out);
  }
  stack->rsp = stack->base[0];
  stack->other_rsp = stack->base[1];
  return memory;
}

void forget_returns(ReturnStack& stack, unsigned side) {
  (stack.side == side ? stack.rsp : stack.other_rsp) = stack.base[side];
}

u64 after_overflow(const ReturnStack& stack, u64 address) {
  const u64 limit = stack.limit[stack.side];
  return address < limit && address >= limit - kGuard ? stack.base[stack.side] : 0;
}

}  // namespace pileus::engine::bt
