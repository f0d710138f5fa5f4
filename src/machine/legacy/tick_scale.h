// Conversion between nanoseconds and ticks of a device's crystal without losing bits.
#pragma once

#include "base/ints.h"

namespace pileus::machine {

inline constexpr u64 kNsPerSecond = 1'000'000'000;

__extension__ using Wide = unsigned __int128;

// value * numerator / denominator, rounded down.
inline u64 scale(u64 value, u64 numerator, u64 denominator) {
  return static_cast<u64>(Wide{value} * numerator / denominator);
}

}  // namespace pileus::machine
