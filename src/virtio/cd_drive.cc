#include "virtio/cd_drive.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pileus::virtio {

namespace {

// Operation codes (MMC-6, table 229; SPC-4, annex E).
enum Operation : u8 {
  kTestUnitReady = 0x00,
  kRequestSense = 0x03,
  kInquiry = 0x12,
  kModeSense6 = 0x1A,
  kStartStopUnit = 0x1B,
  kPreventRemoval = 0x1E,
  kReadCapacity = 0x25,
  kRead10 = 0x28,
  kReadToc = 0x43,
  kGetConfiguration = 0x46,
  kGetEventStatus = 0x4A,
  kModeSense10 = 0x5A,
  kReportLuns = 0xA0,
  kRead12 = 0xA8,
};

constexpr u8 kIllegalRequest = 5;
constexpr Sense kUnknownCommand{kIllegalRequest, 0x20, 0};
constexpr Sense kOutOfRange{kIllegalRequest, 0x21, 0};
constexpr Sense kInvalidField{kIllegalRequest, 0x24, 0};

constexpr u8 kCdDvdType = 5;

u64 get_big(std::span<const u8> bytes) {
  u64 value = 0;
  for (const u8 byte : bytes) value = value << 8 | byte;
  return value;
}

void put_big(std::vector<u8>& out, u64 value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<u8>(value >> i * 8));
}

void put_text(std::vector<u8>& out, std::string_view text, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) out.push_back(i < text.size() ? static_cast<u8>(text[i]) : u8{' '});
}

CdDrive::Answer failure(const Sense& sense) { return {.sense = sense}; }

// No more than the allocation length that the command names.
CdDrive::Answer answer(std::vector<u8> data, u64 allocated) {
  data.resize(std::min<u64>(data.size(), allocated));
  return {.data = std::move(data)};
}

// An address as minutes, seconds and frames (MMC-6, 4.2.6.2), or as it is.
u32 disc_address(u64 sector, bool as_time) {
  constexpr u64 kFrames = 75, kLeadIn = 150;
  if (!as_time) return static_cast<u32>(sector);
  const u64 frame = sector + kLeadIn;
  return static_cast<u32>(frame / kFrames / 60 << 16 | frame / kFrames % 60 << 8 | frame % kFrames);
}

void put_track(std::vector<u8>& out, u8 number, u32 address) {
  constexpr u8 kDataTrack = 0x14;
  out.insert(out.end(), {0, kDataTrack, number, 0});
  put_big(out, address, 4);
}

}  // namespace

std::vector<u8> encode_sense(const std::optional<Sense>& sense) {
  constexpr u8 kCurrent = 0x70;
  std::vector<u8> out(kFixedSenseBytes);
  out[0] = kCurrent;
  out[7] = kFixedSenseBytes - 8;
  if (!sense) return out;
  out[2] = sense->key;
  out[12] = sense->code;
  out[13] = sense->qualifier;
  return out;
}

CdDrive::Answer CdDrive::execute(Command command) const {
  switch (command[0]) {
    case kTestUnitReady:
    case kStartStopUnit:
    case kPreventRemoval: return {};
    case kRequestSense: return answer(encode_sense(std::nullopt), command[4]);
    case kInquiry: return inquiry(command);
    case kModeSense6: return mode_sense(command, false);
    case kModeSense10: return mode_sense(command, true);
    case kReadCapacity: return read_capacity();
    case kRead10: return read_sectors(get_big(command.subspan<2, 4>()), get_big(command.subspan<7, 2>()));
    case kRead12: return read_sectors(get_big(command.subspan<2, 4>()), get_big(command.subspan<6, 4>()));
    case kReadToc: return read_toc(command);
    case kGetConfiguration: return get_configuration(command);
    case kGetEventStatus: return get_event_status(command);
    case kReportLuns: return answer({0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, get_big(command.subspan<6, 4>()));
    default: return failure(kUnknownCommand);
  }
}

// SPC-4, 6.4.2: the standard data; there are no pages of vital product data.
CdDrive::Answer CdDrive::inquiry(Command command) const {
  constexpr u8 kRemovable = 0x80, kSpc3 = 5, kFormat = 2, kRest = 31;
  constexpr u8 kVitalData = 1;
  if ((command[1] & kVitalData) != 0 || command[2] != 0) return failure(kInvalidField);
  std::vector<u8> data{kCdDvdType, kRemovable, kSpc3, kFormat, kRest, 0, 0, 0};
  put_text(data, "Pileus", 8);
  put_text(data, "CD drive", 16);
  put_text(data, "1.0", 4);
  return answer(std::move(data), get_big(command.subspan<3, 2>()));
}

// Page 0x2A, what the drive can do (MMC-3, 6.3.11): read, from a tray that stays closed.
CdDrive::Answer CdDrive::mode_sense(Command command, bool long_form) const {
  constexpr u8 kCapabilities = 0x2A, kAllPages = 0x3F, kPageRest = 18;
  constexpr u8 kReadsCdR = 0x03, kTray = 0x20;
  constexpr std::array<u8, 7> kPageBegin{kCapabilities, kPageRest, kReadsCdR, 0, 0, 0, kTray};
  constexpr u8 kSavedValues = 3;
  const u8 page = command[2] & 0x3F;
  if (command[2] >> 6 == kSavedValues || (page != kCapabilities && page != kAllPages)) return failure(kInvalidField);
  const std::ptrdiff_t header = long_form ? 8 : 4;  // no block descriptors
  std::vector<u8> data(static_cast<std::size_t>(header) + 2 + kPageRest);
  std::ranges::copy(kPageBegin, data.begin() + header);
  if (long_form) {
    data[1] = static_cast<u8>(data.size() - 2);
    return answer(std::move(data), get_big(command.subspan<7, 2>()));
  }
  data[0] = static_cast<u8>(data.size() - 1);
  return answer(std::move(data), command[4]);
}

CdDrive::Answer CdDrive::read_capacity() const {
  std::vector<u8> data;
  put_big(data, std::clamp<u64>(sectors_, 1, u64{1} << 32) - 1, 4);
  put_big(data, kSector, 4);
  return {.data = std::move(data)};
}

CdDrive::Answer CdDrive::read_sectors(u64 first, u64 count) const {
  if (first > sectors_ || count > sectors_ - first) return failure(kOutOfRange);
  return {.disc_offset = first * kSector, .disc_bytes = count * kSector};
}

// MMC-6, 6.26: one session with one track of data, and the lead-out.
CdDrive::Answer CdDrive::read_toc(Command command) const {
  constexpr u8 kToc = 0, kSessions = 1;
  constexpr u8 kFirst = 1, kLeadOut = 0xAA;
  const bool as_time = (command[1] & 2) != 0;
  const u8 format = command[2] & 0xF, from = command[6];
  if (format > kSessions || (format == kToc && from > kFirst && from != kLeadOut)) return failure(kInvalidField);
  std::vector<u8> data{0, 0, kFirst, kFirst};
  if (format == kSessions || from <= kFirst) put_track(data, kFirst, disc_address(0, as_time));
  if (format == kToc) put_track(data, kLeadOut, disc_address(sectors_, as_time));
  data[1] = static_cast<u8>(data.size() - 2);
  return answer(std::move(data), get_big(command.subspan<7, 2>()));
}

// MMC-6, 6.6: the header alone, which has the kind of disc.
CdDrive::Answer CdDrive::get_configuration(Command command) const {
  constexpr u64 kLargestCd = 900 * kMiB;
  constexpr u8 kCdRom = 0x08, kDvdRom = 0x10;
  const u8 profile = sectors_ * kSector > kLargestCd ? kDvdRom : kCdRom;
  return answer({0, 0, 0, 4, 0, 0, 0, profile}, get_big(command.subspan<7, 2>()));
}

// MMC-6, 6.8: asked for what happened to the disc: nothing, it is there.
CdDrive::Answer CdDrive::get_event_status(Command command) const {
  constexpr u8 kPolled = 1, kMedia = 4, kPresent = 2, kNothing = 0x80;
  if ((command[1] & kPolled) == 0) return failure(kInvalidField);
  const u64 allocated = get_big(command.subspan<7, 2>());
  if ((command[4] >> kMedia & 1) == 0) return answer({0, 2, kNothing, 1 << kMedia}, allocated);
  return answer({0, 6, kMedia, 1 << kMedia, 0, kPresent, 0, 0}, allocated);
}

}  // namespace pileus::virtio
