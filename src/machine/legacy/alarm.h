// Time for devices: a clock, and a call when it reaches a value.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "os/event_loop.h"

namespace pileus::machine {

// Nanoseconds that never go back. Any thread.
using NanosecondClock = std::function<u64()>;
u64 monotonic_ns();
// Since 1970; may be set by the host's administrator.
u64 wall_clock_ns();

// One appointment of a device. Any thread, also with the device's lock held: the call comes later, on another thread.
class Alarm {
 public:
  virtual ~Alarm() = default;
  // Replaces an earlier appointment; nothing: there is none any more. One call that was on its way may still come.
  virtual void set(std::optional<u64> at_ns) = 0;
};

// An Alarm by a clock whose calls come on the loop's thread, at most one in kLeastNs: a guest may ask for more than
// the thread could do. The loop must outlive it.
class LoopAlarm final : public Alarm {
 public:
  static Result<std::unique_ptr<LoopAlarm>> create(os::EventLoop& loop, NanosecondClock clock,
                                                   std::function<void()> call);
  ~LoopAlarm() override;
  void set(std::optional<u64> at_ns) override;

 private:
  static constexpr u64 kLeastNs = 20'000;
  LoopAlarm(os::EventLoop& loop, NanosecondClock clock) : loop_(loop), clock_(std::move(clock)) {}

  os::EventLoop& loop_;
  const NanosecondClock clock_;
  std::unique_ptr<os::Timer> timer_;  // used on the loop
  void arm();

  std::mutex mutex_;
  std::optional<u64> at_ns_;  // guarded by mutex_
  bool posted_ = false;       // a task is on its way to the loop that will look at at_ns_; guarded by mutex_
};

}  // namespace pileus::machine
