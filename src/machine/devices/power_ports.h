// The ports by which a guest resets or switches off its machine, and the small legacy ones beside
// them.
#pragma once

#include <functional>

#include "guest/bus.h"

namespace pileus::machine {

// What the guest may ask of its machine's owner. Called on a vCPU's thread; must return soon.
struct PowerRequests {
  std::function<void()> reset;
  std::function<void()> power_off;
  std::function<void(u32)> exit;  // through the ExitPort
};

// Three byte ports: sleep control, sleep status (ACPI 6.5, 4.8.3.7) and reset (4.8.3.6), as the
// FADT announces them.
class PowerPorts : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 3;
  static constexpr u64 kSleepControl = 0, kSleepStatus = 1, kReset = 2;
  static constexpr u8 kResetValue = 0x42;
  static constexpr u8 kSleepTypeOff = 5;  // \_S5 in dsdt.asl

  explicit PowerPorts(PowerRequests requests) : requests_(std::move(requests)) {}
  u64 read(u64 /*offset*/, unsigned /*size*/) override { return 0; }
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  const PowerRequests requests_;
};

// A keyboard controller without keyboard: command 0xFE pulses the CPU's reset line, all else is
// swallowed. Its status reads as "both buffers empty".
class I8042 : public guest::BusDevice {
 public:
  explicit I8042(std::function<void()> reset) : reset_(std::move(reset)) {}
  u64 read(u64 /*offset*/, unsigned /*size*/) override { return 0; }
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  const std::function<void()> reset_;
};

// Port 0x80: BIOSes write progress codes, Linux uses it as a short delay.
class PostPort : public guest::BusDevice {
 public:
  u64 read(u64 /*offset*/, unsigned size) override { return size == 1 ? 0xFF : 0xFFFFFFFF; }
  void write(u64 /*offset*/, unsigned /*size*/, u64 /*value*/) override {}
};

}  // namespace pileus::machine
