// The time of day as an interface, so that tests can let hours pass.
#pragma once

#include <chrono>

#include "model/instance.h"

namespace pileus::control {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual model::Millis now() const = 0;
};

class SystemClock : public Clock {
 public:
  model::Millis now() const override {
    using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
    return static_cast<model::Millis>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  }
};

}  // namespace pileus::control
