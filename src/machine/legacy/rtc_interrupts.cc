#include "machine/legacy/rtc_interrupts.h"

#include <algorithm>

#include "machine/legacy/tick_scale.h"

namespace pileus::machine {

namespace {
constexpr u8 kSet = 0x80;
constexpr u64 kMostSeconds = 10;  // looked at one by one for the alarm, after a long silence
}  // namespace

RtcInterrupts::RtcInterrupts(guest::InterruptLine& line, NanosecondClock clock, std::function<TimeOfDay(u64)> time_at)
    : line_(line), clock_(std::move(clock)), time_at_(std::move(time_at)), looked_ns_(clock_()) {}

// Rates 1 and 2 are those of 8 and 9 with this time base.
u64 RtcInterrupts::period_ns() const {
  unsigned rate = status_a_ & 15;
  if (rate == 0) return 0;
  if (rate < 3) rate += 7;
  return (kNsPerSecond << (rate - 1)) / 32768;
}

// A field with both upper bits set matches anything.
bool RtcInterrupts::alarm_matches(u64 second) const {
  constexpr u8 kAnything = 0xC0;
  const TimeOfDay time = time_at_(second * kNsPerSecond);
  const std::array<u8, 3> now{time.seconds, time.minutes, time.hours};
  for (unsigned i = 0; i < 3; ++i) {
    if ((alarm_fields_[i] & kAnything) != kAnything && alarm_fields_[i] != now[i]) return false;
  }
  return true;
}

void RtcInterrupts::look() {
  advance();
  settle();
}

// Sets the flags of what has happened until now.
void RtcInterrupts::advance() {
  const u64 now = std::max(clock_(), looked_ns_);
  const u64 period = period_ns();
  const u64 before_second = looked_ns_ / kNsPerSecond, second = now / kNsPerSecond;
  if (period != 0 && now / period != looked_ns_ / period) flags_ |= kPeriodic;
  if (second != before_second && (enables_ & kSet) == 0) {
    flags_ |= kUpdate;
    const u64 first = second - before_second > kMostSeconds ? second - kMostSeconds : before_second;
    for (u64 at = first + 1; at <= second; ++at) {
      if (alarm_matches(at)) flags_ |= kAlarm;
    }
  }
  looked_ns_ = now;
}

// Line and alarm as the registers want them at the moment that was looked at last. Each access looks once: what happens behind that
// must find the line as the access has left it, or its edge is lost.
void RtcInterrupts::settle() {
  const u64 now = looked_ns_, period = period_ns(), second = now / kNsPerSecond;
  if ((flags_ & enables_ & (kPeriodic | kAlarm | kUpdate)) != 0) flags_ |= kAny;
  else flags_ &= static_cast<u8>(~kAny);
  line_.set((flags_ & kAny) != 0);
  if (alarm_ == nullptr) return;
  std::optional<u64> next;
  if ((enables_ & kPeriodic) != 0 && period != 0) next = (now / period + 1) * period;
  if ((enables_ & (kAlarm | kUpdate)) != 0) next = std::min(next.value_or(~u64{0}), (second + 1) * kNsPerSecond);
  // Nothing new can be told before the guest has read what there is.
  if ((flags_ & kAny) != 0) next.reset();
  alarm_->set(next);
}

void RtcInterrupts::write_status_a(u8 value) {
  advance();
  constexpr u8 kInProgress = 0x80;
  status_a_ = value & static_cast<u8>(~kInProgress);
  settle();
}

void RtcInterrupts::write_enables(u8 status_b) {
  advance();
  enables_ = status_b & (kSet | kPeriodic | kAlarm | kUpdate);
  if ((enables_ & kSet) != 0) enables_ &= static_cast<u8>(~kUpdate);
  settle();
}

void RtcInterrupts::write_alarm_field(unsigned index, u8 value) {
  look();
  alarm_fields_[index] = value;
}

u8 RtcInterrupts::take_status_c() {
  advance();
  settle();
  const u8 flags = flags_;
  flags_ = 0;
  settle();
  return flags;
}

void RtcInterrupts::reset() {
  status_a_ = 0x26;
  enables_ = flags_ = 0;
  alarm_fields_ = {};
  looked_ns_ = clock_();
  look();
}

}  // namespace pileus::machine
