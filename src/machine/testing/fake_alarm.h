// An Alarm and a clock that a test turns by hand.
#pragma once

#include <algorithm>
#include <functional>

#include "guest/interrupt.h"
#include "machine/legacy/alarm.h"

namespace pileus::machine::testing {

struct FakeAlarm final : public Alarm {
  void set(std::optional<u64> at_ns) override { at = at_ns; }
  // Turns the clock to `until`, calling `ring` at every appointment on the way.
  void run(u64 until, const std::function<void()>& ring) {
    while (at && *at <= until) {
      now = std::max(now, *at);
      at.reset();
      ring();
    }
    now = until;
  }
  NanosecondClock clock() {
    return [this] { return now += step; };
  }

  std::optional<u64> at;
  u64 now = 0;
  u64 step = 0;  // by which each look at the clock turns it
};

// Counts the rises of a wire.
struct FakeLine final : public guest::InterruptLine {
  void set(bool to) override {
    if (to && !level) ++rises;
    level = to;
  }
  bool level = false;
  unsigned rises = 0;
};

}  // namespace pileus::machine::testing
