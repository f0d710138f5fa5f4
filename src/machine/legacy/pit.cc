#include "machine/legacy/pit.h"

#include "machine/legacy/tick_scale.h"

namespace pileus::machine {

namespace {

u32 from_bcd(u16 value) {
  return (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u + (value & 15u);
}
u16 to_bcd(u32 value) {
  return static_cast<u16>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10);
}

}  // namespace

void PitChannel::write_control(u8 control, u64 now) {
  static_cast<void>(now);
  mode_ = control >> 1 & 7;
  if (mode_ > 5) mode_ &= 3;  // 6 and 7 are 2 and 3
  access_ = static_cast<Access>(control >> 4 & 3);
  bcd_ = (control & 1) != 0;
  loaded_ = counting_ = high_next_ = false;
  frozen_ = 0;
  low_byte_.reset();
  latched_.reset();
  latched_status_.reset();
}

void PitChannel::load(u16 count, u64 now) {
  count_ = bcd_ ? from_bcd(count) : count;
  loaded_ = true;
  frozen_ = 0;
  counting_ = gate_ && !triggered();
  start_ = now;
}

void PitChannel::write_count(u8 value, u64 now) {
  switch (access_) {
    case Access::kLow: load(value, now); break;
    case Access::kHigh: load(static_cast<u16>(value << 8), now); break;
    case Access::kBoth:
      if (!low_byte_) {
        low_byte_ = value;
        break;
      }
      load(static_cast<u16>(value << 8 | *low_byte_), now);
      low_byte_.reset();
  }
}

void PitChannel::set_gate(bool level, u64 now) {
  if (level == gate_) return;
  if (triggered()) {
    if (level && loaded_) {
      counting_ = true;
      start_ = now;
      frozen_ = 0;
    }
  } else if (level) {
    if (periodic()) frozen_ = 0;  // begins anew
    counting_ = loaded_;
    start_ = now - frozen_;
  } else {
    frozen_ = elapsed(now);
    counting_ = false;
  }
  gate_ = level;
}

u64 PitChannel::elapsed(u64 now) const { return counting_ ? now - start_ : frozen_; }

u16 PitChannel::counter(u64 now) const {
  const u64 ticks = elapsed(now);
  u64 value = 0;
  if (mode_ == 3) value = period() - ticks * 2 % period();  // counts by two, each half of the wave
  else if (mode_ == 2) value = period() - ticks % period();
  else value = period() - ticks;  // goes on below zero
  if (bcd_) return to_bcd(static_cast<u32>(value % 10000));
  return static_cast<u16>(value);
}

bool PitChannel::output(u64 now) const {
  if (!loaded_) return mode_ != 0;
  const u64 ticks = elapsed(now);
  switch (mode_) {
    case 0: return ticks > period();
    case 1: return (!counting_ && frozen_ == 0) || ticks >= period();
    case 2: return !gate_ || ticks % period() != period() - 1;
    case 3: return !gate_ || ticks % period() < (period() + 1) / 2;
    default: return ticks != period();  // strobes low for one tick
  }
}

std::optional<u64> PitChannel::next_rise(u64 now) const {
  if (!counting_) return std::nullopt;
  const u64 ticks = elapsed(now);
  if (periodic()) return start_ + (ticks / period() + 1) * period();
  const u64 rise = mode_ == 1 ? period() : period() + 1;
  if (ticks >= rise) return std::nullopt;
  return start_ + rise;
}

void PitChannel::latch(u64 now) {
  if (!latched_) latched_ = counter(now);
}

void PitChannel::latch_status(u64 now) {
  if (latched_status_) return;
  const unsigned status = (output(now) ? 0x80u : 0u) | (loaded_ ? 0u : 0x40u) | static_cast<unsigned>(access_) << 4 |
                          unsigned{mode_} << 1 | (bcd_ ? 1u : 0u);
  latched_status_ = static_cast<u8>(status);
}

u8 PitChannel::read(u64 now) {
  if (latched_status_) {
    const u8 status = *latched_status_;
    latched_status_.reset();
    return status;
  }
  const u16 value = latched_ ? *latched_ : counter(now);
  const bool high = access_ == Access::kHigh || (access_ == Access::kBoth && high_next_);
  if (access_ == Access::kBoth) high_next_ = !high_next_;
  if (access_ != Access::kBoth || high) latched_.reset();
  return static_cast<u8>(high ? value >> 8 : value);
}

Pit::Pit(guest::InterruptLine& irq0, NanosecondClock clock) : irq0_(irq0), clock_(std::move(clock)) {
  channels_[2].set_gate(false, 0);
}

u64 Pit::now() const { return scale(clock_(), kHertz, kNsPerSecond); }

void Pit::schedule(u64 at) {
  if (alarm_ == nullptr) return;
  rise_ = channels_[0].next_rise(at);
  // Rounded up: when it rings, the tick is there.
  alarm_->set(rise_ ? std::optional<u64>(scale(*rise_, kNsPerSecond, kHertz) + 1) : std::nullopt);
}

void Pit::on_alarm() {
  const std::scoped_lock lock(mutex_);
  const u64 at = now();
  if (!rise_ || at < *rise_) return;  // meant for what was programmed before
  irq0_.set(false);
  irq0_.set(true);
  schedule(at);
}

void Pit::reset() {
  const std::scoped_lock lock(mutex_);
  channels_ = {};
  channels_[2].set_gate(false, 0);
  speaker_ = 0;
  schedule(now());
  irq0_.set(false);
}

void Pit::write_control(u8 value) {
  const u64 at = now();
  const unsigned select = value >> 6;
  if (select == 3) {  // read-back: bits 1 to 3 choose channels, bits 4 and 5 say what not to latch
    for (unsigned i = 0; i < 3; ++i) {
      if ((value >> (i + 1) & 1) == 0) continue;
      if ((value & 0x20) == 0) channels_[i].latch(at);
      if ((value & 0x10) == 0) channels_[i].latch_status(at);
    }
    return;
  }
  if ((value & 0x30) == 0) {
    channels_[select].latch(at);
    return;
  }
  channels_[select].write_control(value, at);
  if (select == 0) {
    irq0_.set(channels_[0].output(at));
    schedule(at);
  }
}

u64 Pit::Ports::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(pit_.mutex_);
  return offset == 3 ? 0xFF : pit_.channels_[offset].read(pit_.now());
}

void Pit::Ports::write(u64 offset, unsigned /*size*/, u64 value) {
  const std::scoped_lock lock(pit_.mutex_);
  if (offset == 3) {
    pit_.write_control(static_cast<u8>(value));
    return;
  }
  const u64 at = pit_.now();
  pit_.channels_[offset].write_count(static_cast<u8>(value), at);
  if (offset != 0) return;
  pit_.irq0_.set(pit_.channels_[0].output(at));
  pit_.schedule(at);
}

// Bit 0: gate of channel 2; bit 1: the speaker; bit 4 toggles with the memory's refresh, every 15 us; bit 5: output of
// channel 2.
u64 Pit::ControlPort::read(u64 /*offset*/, unsigned /*size*/) {
  const std::scoped_lock lock(pit_.mutex_);
  const u64 at = pit_.now();
  const u64 refresh = at / 18 & 1;
  return pit_.speaker_ | refresh << 4 | (pit_.channels_[2].output(at) ? 0x20u : 0u);
}

void Pit::ControlPort::write(u64 /*offset*/, unsigned /*size*/, u64 value) {
  const std::scoped_lock lock(pit_.mutex_);
  pit_.speaker_ = static_cast<u8>(value & 3);
  pit_.channels_[2].set_gate((value & 1) != 0, pit_.now());
}

}  // namespace pileus::machine
