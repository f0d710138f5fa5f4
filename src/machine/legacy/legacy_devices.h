// LegacyDevices: what a PC has had since before ACPI and the APIC, for guests and firmware that count on it: interrupt
// controllers, interval timer, the clock's interrupts, fixed ACPI hardware, port 0x92.
#pragma once

#include <memory>

#include "guest/bus.h"
#include "machine/devices/cmos.h"
#include "machine/devices/power_ports.h"
#include "machine/legacy/acpi_pm.h"
#include "machine/legacy/alarm.h"
#include "machine/legacy/isa_interrupts.h"
#include "machine/legacy/pic.h"
#include "machine/legacy/pit.h"
#include "os/event_loop.h"

namespace pileus::machine {

// Port 0x92: bit 1 is the A20 gate, which is always open here; a rise of bit 0 resets.
class FastA20 : public guest::BusDevice {
 public:
  explicit FastA20(std::function<void()> reset) : reset_(std::move(reset)) {}
  u64 read(u64 /*offset*/, unsigned /*size*/) override { return 2; }
  void write(u64 /*offset*/, unsigned /*size*/, u64 value) override {
    if ((value & 1) != 0) reset_();
  }

 private:
  const std::function<void()> reset_;
};

class LegacyDevices {
 public:
  // Connects `isa` to its interrupt controllers and `cmos` to its interrupt. All references must outlive it; `loop` runs
  // the timers.
  static Result<std::unique_ptr<LegacyDevices>> create(os::EventLoop& loop, IsaInterrupts& isa, Cmos& cmos,
                                                       const PowerRequests& power);
  Result<> add_to(guest::Bus& ports);
  PicPair& pic() { return pic_; }
  // Power-on state; the clock is reset by its owner.
  void reset();
  // For the end: no alarm comes any more. What the interrupts lead to may go now.
  void stop();

 private:
  LegacyDevices(IsaInterrupts& isa, const PowerRequests& power);

  PicPair pic_;
  Pit pit_;
  AcpiPm pm_;
  FastA20 fast_a20_;
  // Destroyed first: they call the devices, and Cmos, which outlives them.
  std::unique_ptr<LoopAlarm> pit_alarm_, pm_alarm_, rtc_alarm_;
};

}  // namespace pileus::machine
