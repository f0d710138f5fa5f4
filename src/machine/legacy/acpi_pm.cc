#include "machine/legacy/acpi_pm.h"

#include "machine/legacy/tick_scale.h"

namespace pileus::machine {

namespace {
constexpr u16 kTimerStatus = 1 << 0, kWake = 1 << 15;
constexpr u16 kSciEnable = 1 << 0, kSleepType = 7 << 10, kSleepEnable = 1 << 13;
constexpr unsigned kCarryBit = 31;  // TMR_STS follows the highest bit of a 32-bit timer, whichever way that changes
}  // namespace

u64 AcpiPm::ticks() const { return scale(clock_(), kTimerHertz, kNsPerSecond); }

void AcpiPm::look() {
  const u64 carries = ticks() >> kCarryBit;
  if (carries != carries_) status_ |= kTimerStatus;
  carries_ = carries;
  sci_.set((status_ & enable_ & kTimerStatus) != 0);
  if (alarm_ == nullptr) return;
  std::optional<u64> next;
  if ((enable_ & kTimerStatus) != 0) {
    next = scale((carries + 1) << kCarryBit, kNsPerSecond, kTimerHertz) + 1;
  }
  alarm_->set(next);
}

void AcpiPm::on_alarm() {
  const std::scoped_lock lock(mutex_);
  look();
}

void AcpiPm::reset() {
  const std::scoped_lock lock(mutex_);
  status_ = enable_ = control_ = 0;
  carries_ = ticks() >> kCarryBit;
  look();
}

u8 AcpiPm::read_byte(u64 offset) {
  switch (offset) {
    case kEvent: return static_cast<u8>(status_);
    case kEvent + 1: return static_cast<u8>(status_ >> 8);
    case kEvent + 2: return static_cast<u8>(enable_);
    case kEvent + 3: return static_cast<u8>(enable_ >> 8);
    case kControl: return static_cast<u8>(control_ | kSciEnable);
    case kControl + 1: return static_cast<u8>(control_ >> 8);
    default: return 0;
  }
}

u64 AcpiPm::read(u64 offset, unsigned size) {
  const std::scoped_lock lock(mutex_);
  if (offset >= kTimer) {
    const u64 value = (ticks() & 0xFFFFFFFF) >> (offset - kTimer) * 8;
    return size >= 8 ? value : value & ((u64{1} << size * 8) - 1);
  }
  look();
  u64 value = 0;
  for (unsigned i = 0; i < size; ++i) value |= u64{read_byte(offset + i)} << i * 8;
  return value;
}

void AcpiPm::write_byte(u64 offset, u8 value) {
  switch (offset) {
    case kEvent: status_ &= static_cast<u16>(~value); break;  // writing ones clears
    case kEvent + 1: status_ &= static_cast<u16>(~(value << 8)); break;
    case kEvent + 2: enable_ = static_cast<u16>((enable_ & 0xFF00) | value); break;
    case kEvent + 3: enable_ = static_cast<u16>((enable_ & 0xFF) | value << 8); break;
    case kControl: break;
    case kControl + 1: control_ = static_cast<u16>(value << 8) & kSleepType; break;
    default: break;
  }
}

void AcpiPm::write(u64 offset, unsigned size, u64 value) {
  const std::scoped_lock lock(mutex_);
  look();
  for (unsigned i = 0; i < size && i < 8; ++i) write_byte(offset + i, static_cast<u8>(value >> i * 8));
  look();
  // SLP_EN is written and never kept.
  const bool high_written = offset <= kControl + 1 && offset + size > kControl + 1;
  if (!high_written) return;
  const auto high = static_cast<u16>(static_cast<u8>(value >> (kControl + 1 - offset) * 8) << 8);
  if ((high & kSleepEnable) == 0) return;
  status_ |= kWake;
  if (control_ >> 10 == PowerPorts::kSleepTypeOff) requests_.power_off();
}

}  // namespace pileus::machine
