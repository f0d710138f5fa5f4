// Where guest registers live while translated code runs.
//
// Guest RAX RDX RBX RBP RSI RDI R8 R9 R12-R14 and all vector, x87 and arithmetic-flag state are in the host registers of
// the same name. RCX is in host R11, because the flag-less branch JRCXZ needs RCX as a temporary; RSP is in R15, because
// the host's RSP is that of the return stack. R10, R11 and R15, the least used, stay in the Context. RCX and R10 are
// temporaries, GS points at the Context.
#pragma once

#include "base/ints.h"

namespace pileus::engine::bt {

inline constexpr unsigned kT0 = 1;  // RCX
inline constexpr unsigned kT1 = 10;  // R10
inline constexpr unsigned kHostRcx = 11;
inline constexpr unsigned kHostRsp = 15;
inline constexpr unsigned kNoReg = 0xFF;

constexpr bool is_spilled(unsigned guest) { return guest == 10 || guest == 11 || guest == 15; }
constexpr unsigned host_register(unsigned guest) {
  return guest == 1 ? kHostRcx : guest == 4 ? kHostRsp : is_spilled(guest) ? kNoReg : guest;
}

}  // namespace pileus::engine::bt
