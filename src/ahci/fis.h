// Frame information structures (Serial ATA 3.2, 10.5), as far as an AHCI adapter has them in memory: what a driver sends a
// device, and what it gets back.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/ints.h"

namespace pileus::ahci {

inline constexpr std::size_t kRegisterFisBytes = 20, kSetBitsFisBytes = 8;

// Bits of a device's status and error registers (ATA8-ACS, 6).
inline constexpr u8 kStatusBusy = 0x80, kStatusReady = 0x40, kStatusSeekDone = 0x10, kStatusData = 0x08,
                    kStatusError = 0x01;
inline constexpr u8 kStatusIdle = kStatusReady | kStatusSeekDone;
inline constexpr u8 kErrorUncorrectable = 0x40, kErrorNotFound = 0x10, kErrorAborted = 0x04;

// What a driver writes to a device's registers: Register - Host to Device.
struct Registers {
  bool is_command = false;  // else only `control` counts
  u8 command = 0;
  u8 device = 0;
  u8 control = 0;
  u16 features = 0;
  u16 count = 0;
  u64 lba = 0;  // 48 bits
};
inline constexpr u8 kReadQueued = 0x60, kWriteQueued = 0x61;  // of all commands, those that are queued
inline constexpr u8 kControlReset = 0x04;
inline constexpr u8 kDeviceLba = 0x40;

// What a device says: Register - Device to Host, and the same in PIO Setup.
struct DeviceState {
  u8 status = kStatusIdle;
  u8 error = 0;
  u8 device = 0;
  u16 count = 0;
  u64 lba = 0;
};

// Nothing: it is another kind of FIS.
std::optional<Registers> decode_registers(std::span<const u8, kRegisterFisBytes> fis);
std::array<u8, kRegisterFisBytes> encode_registers(const DeviceState& state, bool interrupt);
// Before a block of `bytes` bytes goes to the host; `state` is what holds after it.
std::array<u8, kRegisterFisBytes> encode_pio_setup(const DeviceState& state, u16 bytes);
// Set Device Bits: the queued commands in `done` have ended.
std::array<u8, kSetBitsFisBytes> encode_set_bits(u8 status, u8 error, u32 done);

}  // namespace pileus::ahci
