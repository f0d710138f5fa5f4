#include "engine/bt/host_tsc.h"

#include <x86intrin.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace pileus::engine::bt {

namespace {

constexpr u64 kShortestNs = 20'000'000;

struct Sample {
  u64 tsc;
  u64 ns;  // CLOCK_MONOTONIC_RAW
  u64 uncertainty;  // cycles
};

u64 raw_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

// Of some, the one between whose two halves the least happened: a thread that lost its processor there would be off by
// milliseconds.
Sample sample() noexcept {
  Sample best{0, 0, ~u64{0}};
  for (int attempt = 0; attempt < 8; ++attempt) {
    const u64 before = __rdtsc();
    const u64 ns = raw_ns();
    const u64 uncertainty = __rdtsc() - before;
    if (uncertainty < best.uncertainty) best = {before + uncertainty / 2, ns, uncertainty};
  }
  return best;
}

// By the time a VM asks, the time that a measurement takes is over.
const Sample kStart = sample();

u64 measure() {
  for (u64 passed = 0; (passed = raw_ns() - kStart.ns) < kShortestNs;)
    std::this_thread::sleep_for(std::chrono::nanoseconds(kShortestNs - passed));
  const Sample now = sample();
  return (now.tsc - kStart.tsc) * 1'000'000 / (now.ns - kStart.ns);
}

}  // namespace

u64 tsc_khz() {
  static const u64 khz = measure();
  return khz;
}

}  // namespace pileus::engine::bt
