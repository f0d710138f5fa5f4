// The guest's stack pointer as wide as the current mode has it.
#pragma once

#include "engine/bt/context.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

inline u64 stack_mask(const Context& context) {
  if (context.code64()) return ~u64{0};
  return (context.segment[kSs].attributes & x86::kDefaultBig) != 0 ? 0xFFFFFFFF : 0xFFFF;
}

inline u64 stack_pointer(const Context& context) { return context.gpr[kRsp] & stack_mask(context); }

inline void set_stack_pointer(Context& context, u64 value) {
  const u64 mask = stack_mask(context);
  if (mask == 0xFFFF) context.gpr[kRsp] = (context.gpr[kRsp] & ~mask) | (value & mask);
  else context.gpr[kRsp] = value & mask;
}

// Linear.
inline u64 stack_address(const Context& context) {
  if (context.code64()) return context.gpr[kRsp];
  return (context.segment[kSs].base + stack_pointer(context)) & 0xFFFFFFFF;
}

}  // namespace pileus::engine::bt
