#include "machine/legacy/alarm.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace pileus::machine {

namespace {
u64 read_clock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}
}  // namespace

u64 monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }
u64 wall_clock_ns() { return read_clock(CLOCK_REALTIME); }

Result<std::unique_ptr<LoopAlarm>> LoopAlarm::create(os::EventLoop& loop, NanosecondClock clock,
                                                     std::function<void()> call) {
  std::unique_ptr<LoopAlarm> alarm(new LoopAlarm(loop, std::move(clock)));
  Result<std::unique_ptr<os::Timer>> timer = Error(ErrorCode::kIo, "not made");
  loop.call([&] { timer = os::Timer::create(loop, std::move(call)); });
  alarm->timer_ = TRY(std::move(timer));
  return alarm;
}

// Tasks run in the order in which they were posted. The last call of the timer may have posted arm() behind its end, and that
// has to run as long as there is an alarm.
LoopAlarm::~LoopAlarm() {
  loop_.call([this] { timer_.reset(); });
  loop_.call([] {});
}

void LoopAlarm::set(std::optional<u64> at_ns) {
  const std::scoped_lock lock(mutex_);
  at_ns_ = at_ns;
  if (std::exchange(posted_, true)) return;
  loop_.post([this] { arm(); });
}

void LoopAlarm::arm() {
  const std::scoped_lock lock(mutex_);
  posted_ = false;
  if (timer_ == nullptr) return;
  if (!at_ns_) {
    timer_->disarm();
    return;
  }
  const u64 now = clock_();
  timer_->arm(std::max(*at_ns_ > now ? *at_ns_ - now : 0, kLeastNs));
}

}  // namespace pileus::machine
