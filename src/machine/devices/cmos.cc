#include "machine/devices/cmos.h"

namespace pileus::machine {

namespace {
constexpr u8 kBinary = 0x04, k24Hours = 0x02;
constexpr u8 kStatusA = 0x26;       // 32.768 kHz time base, 1024 Hz; no update in progress
constexpr u8 kStatusDValid = 0x80;  // the battery is good
}  // namespace

u64 Cmos::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(mutex_);
  return offset == 0 ? u8{0xFF} : read_register(index_);
}

void Cmos::write(u64 offset, unsigned /*size*/, u64 value) {
  const std::scoped_lock lock(mutex_);
  constexpr u8 kIndexMask = 0x7F;  // bit 7 switches NMIs off, which nothing here sends
  if (offset == 0) {
    index_ = static_cast<u8>(value) & kIndexMask;
  } else if (index_ == 0x0B) {
    status_b_ = static_cast<u8>(value) & (kBinary | k24Hours);
  }
}

u8 Cmos::encode(int value) const {
  if ((status_b_ & kBinary) != 0) return static_cast<u8>(value);
  return static_cast<u8>(value / 10 * 16 + value % 10);
}

u8 Cmos::read_register(u8 index) const {
  const std::time_t now = clock_();
  std::tm time{};
  ::gmtime_r(&now, &time);
  constexpr u8 kPm = 0x80;
  switch (index) {
    case 0x00: return encode(time.tm_sec);
    case 0x02: return encode(time.tm_min);
    case 0x04:
      if ((status_b_ & k24Hours) != 0) return encode(time.tm_hour);
      return encode((time.tm_hour + 11) % 12 + 1) | (time.tm_hour >= 12 ? kPm : u8{0});
    case 0x06: return encode(time.tm_wday + 1);
    case 0x07: return encode(time.tm_mday);
    case 0x08: return encode(time.tm_mon + 1);
    case 0x09: return encode(time.tm_year % 100);
    case 0x0A: return kStatusA;
    case 0x0B: return status_b_;
    case 0x0D: return kStatusDValid;
    case 0x32: return encode((time.tm_year + 1900) / 100);
    default: return 0;
  }
}

}  // namespace pileus::machine
