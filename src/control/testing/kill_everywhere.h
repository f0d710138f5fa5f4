// Runs a life again and again, each time with a kill at another call of the store.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "control/testing/faulty_store.h"

namespace pileus::control::testing {

// `live` is killed at the call of that number (0: never), and returns how many calls it made. Some lives go on at once:
// each waits for the threads of its store most of the time.
inline void kill_everywhere(Injector::When when, const std::function<u64(u64 at, Injector::When)>& live) {
  constexpr u64 kTogether = 4;
  const u64 calls = live(0, when);
  ASSERT_GT(calls, 100U);
  for (u64 first = 1; first <= calls; first += kTogether) {
    std::vector<std::thread> lives;
    for (u64 at = first; at < first + kTogether && at <= calls; at++) {
      lives.emplace_back([&live, when, at, calls] {
        SCOPED_TRACE("killed at call " + std::to_string(at) + " of " + std::to_string(calls));
        live(at, when);
      });
    }
    for (std::thread& each : lives) each.join();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace pileus::control::testing
