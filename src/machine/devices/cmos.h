// Cmos: the clock of a PC at ports 0x70/0x71 (Motorola MC146818A datasheet), always at the host's
// time, UTC.
//
// The guest may not set it: writes to the time are ignored. The update-in-progress bit is never
// set, since every read sees a consistent moment of the host's clock. Alarms and interrupts are
// there where a board with legacy devices connects them.
#pragma once

#include <array>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>

#include "guest/bus.h"
#include "machine/legacy/rtc_interrupts.h"

namespace pileus::machine {

class Cmos : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 2;
  using Clock = std::function<std::time_t()>;

  explicit Cmos(Clock clock = [] { return std::time(nullptr); }) : clock_(std::move(clock)) {}

  // Gives it IRQ 8. `wall_clock` is nanoseconds since 1970 and agrees with the Clock. Before any access.
  void connect(guest::InterruptLine& line, NanosecondClock wall_clock);
  // Calls on_alarm() by the wall clock. Before any access.
  void set_alarm(Alarm* alarm) { interrupts_->set_alarm(alarm); }
  void on_alarm();
  // What the guest finds in the battery-backed memory, registers 0x0E to 0x7F but the century.
  void set_memory(u8 index, u8 value);
  void reset();

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  u8 read_register(u8 index);                // under mutex_
  u8 read_time(u8 index, std::time_t now) const;  // under mutex_
  void write_register(u8 index, u8 value);   // under mutex_
  u8 encode(int value) const;        // under mutex_: BCD or binary, as status B says

  const Clock clock_;
  std::mutex mutex_;
  u8 index_ = 0;        // guarded by mutex_
  u8 status_b_ = 0x02;  // 24 hours, BCD; guarded by mutex_
  std::array<u8, 128> memory_{};               // guarded by mutex_
  std::unique_ptr<RtcInterrupts> interrupts_;  // may be null; guarded by mutex_
};

}  // namespace pileus::machine
