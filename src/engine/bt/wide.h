// Arithmetic whose intermediate result needs 128 bits.
#pragma once

#include "base/ints.h"

namespace pileus::engine::bt {

__extension__ using u128 = unsigned __int128;

constexpr u64 multiply_divide(u64 a, u64 b, u64 divisor) { return static_cast<u64>(u128{a} * b / divisor); }
constexpr u64 multiply_shift(u64 a, u64 b, unsigned shift) { return static_cast<u64>((u128{a} * b) >> shift); }

}  // namespace pileus::engine::bt
