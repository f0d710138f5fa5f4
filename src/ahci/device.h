// Device: what a port's cable leads to, a drive that takes commands of ATA8-ACS.
//
// Threads: made by anybody, then used and destroyed on the I/O thread.
#pragma once

#include <array>
#include <optional>

#include "ahci/fis.h"
#include "ahci/transfer.h"
#include "base/ints.h"

namespace pileus::ahci {

struct Command {
  Registers registers;
  std::array<u8, 16> packet{};  // of a PACKET command
};

// How a command ended, and by which FIS its end is told.
struct Outcome {
  enum class Told { kRegisters, kPioSetup, kSetBits };
  Told told = Told::kRegisters;
  DeviceState state{};
  u64 bytes = 0;  // were moved
  u32 tag = 0;    // of a queued command

  bool failed() const { return (state.status & kStatusError) != 0; }
};

class Device {
 public:
  virtual ~Device() = default;
  // What the registers hold after a reset, by which a driver knows the kind of drive (ATA8-ACS, 9.12).
  virtual DeviceState signature() const = 0;
  virtual bool is_atapi() const = 0;
  // As a reset over the cable does; what is on the disk stays.
  virtual void reset() = 0;
  // Nothing: there is no room for it just now. It is to be tried again as a whole, or given up.
  virtual std::optional<Outcome> execute(const Command& command, Transfer& data) = 0;
  // Whether a command is kept that found no room.
  virtual void set_waiting(bool waiting) = 0;
};

inline Outcome failure(u8 error) { return {.state = {.status = kStatusIdle | kStatusError, .error = error}}; }

}  // namespace pileus::ahci
