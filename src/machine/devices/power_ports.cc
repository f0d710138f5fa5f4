#include "machine/devices/power_ports.h"

namespace pileus::machine {

void PowerPorts::write(u64 offset, unsigned /*size*/, u64 value) {
  constexpr u8 kSleepEnable = 1 << 5;
  const auto byte = static_cast<u8>(value);
  if (offset == kReset && byte == kResetValue) requests_.reset();
  if (offset == kSleepControl && (byte & kSleepEnable) != 0 && (byte >> 2 & 7) == kSleepTypeOff) requests_.power_off();
}

void I8042::write(u64 /*offset*/, unsigned /*size*/, u64 value) {
  constexpr u8 kPulseReset = 0xFE;
  if (static_cast<u8>(value) == kPulseReset) reset_();
}

}  // namespace pileus::machine
