#include "machine/devices/cmos.h"

namespace pileus::machine {

namespace {
constexpr u8 kBinary = 0x04, k24Hours = 0x02;
constexpr u8 kStatusA = 0x26;       // 32.768 kHz time base, 1024 Hz; no update in progress
constexpr u8 kInterruptBits = 0xF0;  // SET, and which interrupts are wanted
constexpr u8 kFirstMemory = 0x0E, kCentury = 0x32;
constexpr u8 kStatusDValid = 0x80;  // the battery is good
}  // namespace

u64 Cmos::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(mutex_);
  return offset == 0 ? u8{0xFF} : read_register(index_);
}

void Cmos::write(u64 offset, unsigned /*size*/, u64 value) {
  const std::scoped_lock lock(mutex_);
  constexpr u8 kIndexMask = 0x7F;  // bit 7 switches NMIs off, which nothing here sends
  if (offset == 0) index_ = static_cast<u8>(value) & kIndexMask;
  else write_register(index_, static_cast<u8>(value));
}

void Cmos::write_register(u8 index, u8 value) {
  if (index == 0x0B) {
    status_b_ = value & (kBinary | k24Hours);
    if (interrupts_) {
      status_b_ |= value & kInterruptBits;
      interrupts_->write_enables(value);
    }
  } else if (index >= kFirstMemory && index != kCentury) {
    memory_[index] = value;
  } else if (interrupts_ && index == 0x0A) {
    interrupts_->write_status_a(value);
  } else if (interrupts_ && (index == 1 || index == 3 || index == 5)) {
    interrupts_->write_alarm_field(index / 2, value);
  }
}

void Cmos::connect(guest::InterruptLine& line, NanosecondClock wall_clock) {
  interrupts_ = std::make_unique<RtcInterrupts>(line, std::move(wall_clock), [this](u64 ns) {
    const auto second = static_cast<std::time_t>(ns / 1'000'000'000);
    return RtcInterrupts::TimeOfDay{read_time(0, second), read_time(2, second), read_time(4, second)};
  });
}

void Cmos::on_alarm() {
  const std::scoped_lock lock(mutex_);
  interrupts_->look();
}

void Cmos::set_memory(u8 index, u8 value) {
  const std::scoped_lock lock(mutex_);
  memory_[index] = value;
}

void Cmos::reset() {
  const std::scoped_lock lock(mutex_);
  index_ = 0;
  status_b_ = k24Hours;
  if (interrupts_) interrupts_->reset();
}

u8 Cmos::encode(int value) const {
  if ((status_b_ & kBinary) != 0) return static_cast<u8>(value);
  return static_cast<u8>(value / 10 * 16 + value % 10);
}

u8 Cmos::read_register(u8 index) {
  switch (index) {
    case 0x01:
    case 0x03:
    case 0x05: return interrupts_ ? interrupts_->alarm_field(index / 2) : u8{0};
    case 0x0A: return interrupts_ ? interrupts_->status_a() : kStatusA;
    case 0x0B: return status_b_;
    case 0x0C: return interrupts_ ? interrupts_->take_status_c() : u8{0};
    case 0x0D: return kStatusDValid;
    default: break;
  }
  if (index >= kFirstMemory && index != kCentury) return memory_[index];
  return read_time(index, clock_());
}

u8 Cmos::read_time(u8 index, std::time_t now) const {
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
    case kCentury: return encode((time.tm_year + 1900) / 100);
    default: return 0;
  }
}

}  // namespace pileus::machine
