#include "ahci/cd.h"

#include <algorithm>

#include "ahci/identify.h"
#include "base/log.h"

namespace pileus::ahci {

namespace {

enum Operation : u8 {
  kDeviceReset = 0x08,
  kDiagnose = 0x90,
  kPacket = 0xA0,
  kIdentifyPacket = 0xA1,
  kStandbyImmediate = 0xE0,
  kIdleImmediate = 0xE1,
  kCheckPower = 0xE5,
  kIdentify = 0xEC,
  kSetFeatures = 0xEF,
};
constexpr u8 kSetTransferMode = 0x03;
constexpr u8 kActive = 0xFF;

constexpr u8 kRequestSense = 0x03;
constexpr virtio::Sense kReadError{3, 0x11, 0}, kTooLittleRoom{11, 0x4B, 0};

// Why the drive interrupts (ATA8-ACS, 6.3): the command is over.
constexpr u16 kOver = 3;

}  // namespace

std::optional<Outcome> Cd::execute(const Command& command, Transfer& data) {
  switch (command.registers.command) {
    case kPacket: return packet(command.packet, data);
    case kIdentifyPacket: {
      const Sector sector = identify_cd_drive();
      if (!data.put(sector)) return failure(kErrorAborted);
      return Outcome{.told = Outcome::Told::kPioSetup, .bytes = sector.size()};
    }
    case kIdentify: {
      // By this answer a driver learns that it asked the wrong one (ATA8-ACS, 7.16).
      Outcome outcome{.state = signature()};
      outcome.state.status |= kStatusError;
      outcome.state.error = kErrorAborted;
      return outcome;
    }
    case kDeviceReset: reset(); [[fallthrough]];
    case kDiagnose: return Outcome{.state = signature()};
    case kSetFeatures:
      if (static_cast<u8>(command.registers.features) != kSetTransferMode) return failure(kErrorAborted);
      return Outcome{};
    case kCheckPower: return Outcome{.state = {.count = kActive}};
    case kStandbyImmediate:
    case kIdleImmediate: return Outcome{};
    default: return failure(kErrorAborted);
  }
}

// What went wrong is kept for the REQUEST SENSE that follows.
Outcome Cd::packet(std::span<const u8, 16> packet, Transfer& data) {
  virtio::CdDrive::Answer answer;
  if (packet[0] == kRequestSense) {
    answer.data = virtio::encode_sense(sense_);
    answer.data.resize(std::min<std::size_t>(answer.data.size(), packet[4]));
  } else {
    answer = drive_.execute(packet);
  }
  const u64 length = answer.data.size() + answer.disc_bytes;
  if (!answer.sense && length > data.capacity()) answer.sense = kTooLittleRoom;
  if (!answer.sense && !send_data(answer, data)) answer.sense = kReadError;
  sense_ = answer.sense;
  Outcome outcome{.state = {.count = kOver}, .bytes = sense_ ? 0 : length};
  if (sense_) {
    outcome.state.status |= kStatusError;
    outcome.state.error = static_cast<u8>(sense_->key << 4 | kErrorAborted);
  }
  return outcome;
}

bool Cd::send_data(const virtio::CdDrive::Answer& answer, Transfer& data) {
  if (!answer.data.empty()) return data.put(answer.data);
  u64 offset = answer.disc_offset;
  return data.fill(answer.disc_bytes, [&](std::span<u8> piece) {
    const Result<> read = drive_.read(offset, piece);
    if (!read) log::error("CD drive: {}", read.error().message());
    offset += piece.size();
    return read.ok();
  });
}

}  // namespace pileus::ahci
