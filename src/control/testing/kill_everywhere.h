// Runs a life again and again, each time with a kill at another call of the store.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "control/testing/faulty_store.h"

namespace pileus::control::testing {

// `live` is killed at the call of that number (0: never), and returns how many calls it made.
inline void kill_everywhere(Injector::When when, const std::function<u64(u64 at, Injector::When)>& live) {
  const u64 calls = live(0, when);
  ASSERT_GT(calls, 100U);
  for (u64 at = 1; at <= calls; at++) {
    live(at, when);
    if (::testing::Test::HasFailure()) FAIL() << "killed at call " << at << " of " << calls;
  }
}

}  // namespace pileus::control::testing
