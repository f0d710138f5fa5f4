// Cmos: the clock of a PC at ports 0x70/0x71 (Motorola MC146818A datasheet), always at the host's
// time, UTC.
//
// The guest may not set it: writes to the time are ignored. There are no alarms and no interrupts,
// and the update-in-progress bit is never set, since every read sees a consistent moment of the
// host's clock.
#pragma once

#include <ctime>
#include <functional>
#include <mutex>

#include "guest/bus.h"

namespace pileus::machine {

class Cmos : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 2;
  using Clock = std::function<std::time_t()>;

  explicit Cmos(Clock clock = [] { return std::time(nullptr); }) : clock_(std::move(clock)) {}

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  u8 read_register(u8 index) const;  // under mutex_
  u8 encode(int value) const;        // under mutex_: BCD or binary, as status B says

  const Clock clock_;
  std::mutex mutex_;
  u8 index_ = 0;        // guarded by mutex_
  u8 status_b_ = 0x02;  // 24 hours, BCD; guarded by mutex_
};

}  // namespace pileus::machine
