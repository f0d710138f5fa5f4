#include "ahci/fis.h"

namespace pileus::ahci {

namespace {

constexpr u8 kHostToDevice = 0x27, kDeviceToHost = 0x34, kPioSetup = 0x5F, kSetBits = 0xA1;
constexpr u8 kIsCommand = 0x80, kInterrupt = 0x40, kToHost = 0x20;

void put_state(std::array<u8, kRegisterFisBytes>& fis, const DeviceState& state) {
  fis[2] = state.status;
  fis[3] = state.error;
  for (unsigned i = 0; i < 3; ++i) {
    fis[4 + i] = static_cast<u8>(state.lba >> 8 * i);
    fis[8 + i] = static_cast<u8>(state.lba >> (24 + 8 * i));
  }
  fis[7] = state.device;
  fis[12] = static_cast<u8>(state.count);
  fis[13] = static_cast<u8>(state.count >> 8);
}

}  // namespace

std::optional<Registers> decode_registers(std::span<const u8, kRegisterFisBytes> fis) {
  if (fis[0] != kHostToDevice) return std::nullopt;
  Registers registers{.is_command = (fis[1] & kIsCommand) != 0,
                      .command = fis[2],
                      .device = fis[7],
                      .control = fis[15],
                      .features = static_cast<u16>(fis[3] | fis[11] << 8),
                      .count = static_cast<u16>(fis[12] | fis[13] << 8)};
  for (unsigned i = 0; i < 3; ++i) registers.lba |= u64{fis[4 + i]} << 8 * i | u64{fis[8 + i]} << (24 + 8 * i);
  return registers;
}

std::array<u8, kRegisterFisBytes> encode_registers(const DeviceState& state, bool interrupt) {
  std::array<u8, kRegisterFisBytes> fis{kDeviceToHost, interrupt ? kInterrupt : u8{0}};
  put_state(fis, state);
  return fis;
}

std::array<u8, kRegisterFisBytes> encode_pio_setup(const DeviceState& state, u16 bytes) {
  std::array<u8, kRegisterFisBytes> fis{kPioSetup, kInterrupt | kToHost};
  put_state(fis, state);
  fis[2] |= kStatusData;
  fis[15] = state.status;
  fis[16] = static_cast<u8>(bytes);
  fis[17] = static_cast<u8>(bytes >> 8);
  return fis;
}

// The busy and data bits are not among those that it sets.
std::array<u8, kSetBitsFisBytes> encode_set_bits(u8 status, u8 error, u32 done) {
  std::array<u8, kSetBitsFisBytes> fis{kSetBits, kInterrupt, static_cast<u8>(status & 0x77), error};
  for (unsigned i = 0; i < 4; ++i) fis[4 + i] = static_cast<u8>(done >> 8 * i);
  return fis;
}

}  // namespace pileus::ahci
