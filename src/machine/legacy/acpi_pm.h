// AcpiPm: the fixed ACPI hardware (ACPI 6.5, 4.8): PM1 event and control registers and the power management timer.
// There is no SMI: the machine is always in ACPI mode. The only fixed event is the timer's carry.
//
// Any thread.
#pragma once

#include <mutex>

#include "guest/bus.h"
#include "guest/interrupt.h"
#include "machine/devices/power_ports.h"
#include "machine/legacy/alarm.h"

namespace pileus::machine {

class AcpiPm : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 12;
  static constexpr u64 kEvent = 0, kEventLength = 4, kControl = 4, kControlLength = 2, kTimer = 8, kTimerLength = 4;
  static constexpr u64 kTimerHertz = 3579545;

  // `sci` is the level-triggered system control interrupt.
  AcpiPm(guest::InterruptLine& sci, PowerRequests requests, NanosecondClock clock)
      : sci_(sci), requests_(std::move(requests)), clock_(std::move(clock)) {}
  void set_alarm(Alarm* alarm) { alarm_ = alarm; }  // before any access
  void on_alarm();
  void reset();

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  u64 ticks() const;
  u8 read_byte(u64 offset);               // under mutex_
  void write_byte(u64 offset, u8 value);  // under mutex_
  void look();                            // under mutex_: at the carry; sets SCI and alarm

  guest::InterruptLine& sci_;
  const PowerRequests requests_;
  const NanosecondClock clock_;
  Alarm* alarm_ = nullptr;

  std::mutex mutex_;       // guards what follows
  u64 carries_ = 0;        // of the timer, that status_ knows of
  u16 status_ = 0;
  u16 enable_ = 0;
  u16 control_ = 0;
};

}  // namespace pileus::machine
