// Random: the fuzzer's source of choices. The same seed gives the same choices on every machine.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::cpu_test {

class Random {
 public:
  explicit Random(u64 seed) : state_(seed) {}
  Random(u64 seed, u64 index) : state_(seed * 0x9E3779B97F4A7C15 ^ index * 0xD1B54A32D192ED03) { next(); }

  // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
  u64 next() {
    u64 z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  u64 below(u64 bound) { return next() % bound; }
  unsigned up_to(unsigned last) { return static_cast<unsigned>(below(u64{last} + 1)); }
  bool chance(unsigned percent) { return below(100) < percent; }
  u8 byte() { return static_cast<u8>(next()); }
  template <typename T>
  const T& pick(std::span<const T> from) {
    return from[below(from.size())];
  }

 private:
  u64 state_;
};

}  // namespace pileus::cpu_test
