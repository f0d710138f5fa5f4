// RtcInterrupts: registers A to C and the alarm of a PC's clock (Motorola MC146818A datasheet): periodic, alarm and
// update-ended interrupts, and their flags for a guest that polls. Cmos has the time itself.
//
// Used under Cmos' lock.
#pragma once

#include <array>

#include "guest/interrupt.h"
#include "machine/legacy/alarm.h"

namespace pileus::machine {

class RtcInterrupts {
 public:
  static constexpr u8 kPeriodic = 0x40, kAlarm = 0x20, kUpdate = 0x10, kAny = 0x80;  // of registers B and C

  struct TimeOfDay {
    u8 seconds = 0, minutes = 0, hours = 0;  // encoded as the guest reads them
  };
  // `time_at` gives the time of day at a nanosecond of `clock`, whose seconds are the wall clock's.
  RtcInterrupts(guest::InterruptLine& line, NanosecondClock clock, std::function<TimeOfDay(u64)> time_at);
  void set_alarm(Alarm* alarm) { alarm_ = alarm; }  // before any access; in the time of `clock`

  u8 status_a() const { return status_a_; }
  void write_status_a(u8 value);
  void write_enables(u8 status_b);  // bits 4 to 6, and 7: SET stops updates
  u8 take_status_c();               // reads and clears
  u8 alarm_field(unsigned index) const { return alarm_fields_[index]; }  // seconds, minutes, hours
  void write_alarm_field(unsigned index, u8 value);
  // The alarm rang, or anything else happened: brings flags, line and alarm up to now.
  void look();
  void reset();

 private:
  void advance();
  void settle();
  u64 period_ns() const;  // 0: none
  bool alarm_matches(u64 second) const;

  guest::InterruptLine& line_;
  const NanosecondClock clock_;
  const std::function<TimeOfDay(u64)> time_at_;
  Alarm* alarm_ = nullptr;

  u8 status_a_ = 0x26;  // 32.768 kHz time base, 1024 Hz
  u8 enables_ = 0;
  u8 flags_ = 0;
  std::array<u8, 3> alarm_fields_{};
  u64 looked_ns_ = 0;
};

}  // namespace pileus::machine
