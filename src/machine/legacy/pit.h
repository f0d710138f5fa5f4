// Pit: the interval timer of a PC (Intel 8254 datasheet): channel 0 on IRQ 0, channel 2 gated and read back through port
// 0x61. Counting is a matter of the clock: nothing runs between accesses but the alarm for channel 0's next rise.
//
// Any thread.
#pragma once

#include <array>
#include <mutex>
#include <optional>

#include "guest/bus.h"
#include "guest/interrupt.h"
#include "machine/legacy/alarm.h"

namespace pileus::machine {

// One channel. Times are ticks of the 1.193182 MHz input since some beginning.
class PitChannel {
 public:
  void write_control(u8 control, u64 now);
  void write_count(u8 value, u64 now);
  void latch(u64 now);
  void latch_status(u64 now);
  u8 read(u64 now);
  void set_gate(bool level, u64 now);

  bool output(u64 now) const;
  // The first moment after `now` at which the output rises, if nobody touches the channel.
  std::optional<u64> next_rise(u64 now) const;

 private:
  enum class Access : u8 { kLow = 1, kHigh = 2, kBoth = 3 };

  u64 elapsed(u64 now) const;  // ticks that were counted since the count was loaded
  u16 counter(u64 now) const;  // as the guest reads it
  u32 period() const { return count_ == 0 ? (bcd_ ? 10000 : 65536) : count_; }
  bool periodic() const { return mode_ == 2 || mode_ == 3; }
  bool triggered() const { return mode_ == 1 || mode_ == 5; }  // counts from a rise of the gate
  void load(u16 count, u64 now);

  u8 mode_ = 3;
  Access access_ = Access::kBoth;
  bool bcd_ = false;
  bool gate_ = true;
  bool loaded_ = false;  // a count was written since the control word
  bool counting_ = false;
  u64 start_ = 0;  // when it began to count
  u64 frozen_ = 0;  // ticks counted, while it does not
  u32 count_ = 0;  // binary
  std::optional<u8> low_byte_;  // written, waits for the high one
  bool high_next_ = false;  // of a read
  std::optional<u16> latched_;
  std::optional<u8> latched_status_;
};

class Pit {
 public:
  static constexpr u64 kHertz = 1193182;

  // `alarm` calls on_alarm().
  Pit(guest::InterruptLine& irq0, NanosecondClock clock);
  void set_alarm(Alarm* alarm) { alarm_ = alarm; }  // before any access
  void on_alarm();
  void reset();

  guest::BusDevice& ports() { return ports_; }  // 0x40 to 0x43
  guest::BusDevice& control_port() { return control_; }  // 0x61

 private:
  class Ports : public guest::BusDevice {
   public:
    explicit Ports(Pit& pit) : pit_(pit) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;

   private:
    Pit& pit_;
  };
  class ControlPort : public guest::BusDevice {
   public:
    explicit ControlPort(Pit& pit) : pit_(pit) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;

   private:
    Pit& pit_;
  };

  u64 now() const;  // in ticks
  void write_control(u8 value);  // under mutex_
  void schedule(u64 now);  // under mutex_

  guest::InterruptLine& irq0_;
  const NanosecondClock clock_;
  Alarm* alarm_ = nullptr;
  Ports ports_{*this};
  ControlPort control_{*this};

  std::mutex mutex_;  // guards what follows
  std::array<PitChannel, 3> channels_;
  std::optional<u64> rise_;  // of channel 0, that the alarm is set for
  u8 speaker_ = 0;  // bits 0 and 1 of port 0x61
};

}  // namespace pileus::machine
