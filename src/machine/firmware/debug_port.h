// DebugPort: what SeaBIOS has to say of itself, at port 0x402, goes line by line into the log.
#pragma once

#include <mutex>
#include <string>

#include "guest/bus.h"

namespace pileus::machine {

class DebugPort : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 1;
  // In all, so that a guest cannot fill the log.
  static constexpr u64 kMaxBytes = 64 * kKiB;

  u64 read(u64 /*offset*/, unsigned /*size*/) override { return kPresent; }
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  static constexpr u8 kPresent = 0xE9;
  static constexpr u64 kMaxLine = 200;

  std::mutex mutex_;
  std::string line_;  // guarded by mutex_
  u64 written_ = 0;   // guarded by mutex_
};

}  // namespace pileus::machine
