// ExitPort: a guest that is a test ends its machine by writing its result here, as to QEMU's isa-debug-exit.
#pragma once

#include <functional>

#include "guest/bus.h"

namespace pileus::machine {

class ExitPort : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 4;

  // Called on a vCPU's thread with what was written; must return soon.
  explicit ExitPort(std::function<void(u32)> exit) : exit_(std::move(exit)) {}
  u64 read(u64 /*offset*/, unsigned /*size*/) override { return 0; }
  void write(u64 /*offset*/, unsigned /*size*/, u64 value) override { exit_(static_cast<u32>(value)); }

 private:
  const std::function<void(u32)> exit_;
};

}  // namespace pileus::machine
