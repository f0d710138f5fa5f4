#include "machine/legacy/pit.h"

#include <gtest/gtest.h>

#include "machine/legacy/tick_scale.h"
#include "machine/testing/fake_alarm.h"

namespace pileus::machine {
namespace {

class PitTest : public ::testing::Test {
 protected:
  PitTest() { pit_.set_alarm(&time_); }
  void control(u8 value) { pit_.ports().write(3, 1, value); }
  void count(unsigned channel, u16 value) {
    pit_.ports().write(channel, 1, value & 0xFF);
    pit_.ports().write(channel, 1, value >> 8);
  }
  u16 read(unsigned channel) {
    const u64 low = pit_.ports().read(channel, 1);
    return static_cast<u16>(low | pit_.ports().read(channel, 1) << 8);
  }
  // To the first moment at which so many ticks have passed since time 0.
  void to_tick(u64 tick) {
    time_.run(scale(tick, kNsPerSecond, Pit::kHertz) + 1, [this] { pit_.on_alarm(); });
  }
  bool output2() { return (pit_.control_port().read(0, 1) & 0x20) != 0; }

  testing::FakeAlarm time_;
  testing::FakeLine irq0_;
  Pit pit_{irq0_, time_.clock()};
};

TEST_F(PitTest, ModeTwoInterruptsOncePerPeriod) {
  control(0x34);
  count(0, 1000);
  EXPECT_EQ(irq0_.rises, 1u);  // OUT is high at once
  to_tick(999);
  EXPECT_EQ(irq0_.rises, 1u);
  to_tick(1000);
  EXPECT_EQ(irq0_.rises, 2u);
  to_tick(5500);
  EXPECT_EQ(irq0_.rises, 6u);
  EXPECT_EQ(read(0), 500u);
}

TEST_F(PitTest, ModeThreeWithZeroIsTheTickOfEighteenPerSecond) {
  control(0x36);
  count(0, 0);
  irq0_.rises = 0;
  to_tick(Pit::kHertz);
  EXPECT_EQ(irq0_.rises, 18u);
  to_tick(20 * 65536 + 100);
  EXPECT_EQ(read(0), 65536u - 200);  // it counts by two
}

TEST_F(PitTest, ModeZeroInterruptsOnce) {
  control(0x30);
  EXPECT_FALSE(irq0_.level);
  count(0, 100);
  to_tick(100);
  EXPECT_FALSE(irq0_.level);
  to_tick(101);
  EXPECT_TRUE(irq0_.level);
  to_tick(100000);
  EXPECT_EQ(irq0_.rises, 1u);
  control(0x30);
  EXPECT_FALSE(irq0_.level);
}

TEST_F(PitTest, ModeFourStrobesOnce) {
  control(0x38);
  count(0, 100);
  const unsigned before = irq0_.rises;
  to_tick(100);
  EXPECT_EQ(irq0_.rises, before);
  to_tick(5000);
  EXPECT_EQ(irq0_.rises, before + 1);
}

TEST_F(PitTest, ChannelTwoIsGatedAndReadBack) {
  pit_.control_port().write(0, 1, 1);
  control(0xB0);
  count(2, 50000);
  EXPECT_FALSE(output2());
  to_tick(20000);
  EXPECT_EQ(read(2), 30000u);
  pit_.control_port().write(0, 1, 0);  // it stands still
  to_tick(70000);
  EXPECT_EQ(read(2), 30000u);
  EXPECT_FALSE(output2());
  pit_.control_port().write(0, 1, 1);
  to_tick(70000 + 30000);
  EXPECT_FALSE(output2());
  to_tick(70000 + 30002);
  EXPECT_TRUE(output2());
  EXPECT_EQ(pit_.control_port().read(0, 1) & 3, 1u);
  EXPECT_EQ(irq0_.rises, 0u);
}

TEST_F(PitTest, LatchesCountAndStatus) {
  control(0x34);
  count(0, 10000);
  to_tick(1000);
  control(0x00);  // latch channel 0
  to_tick(2000);
  EXPECT_EQ(read(0), 9000u);
  EXPECT_EQ(read(0), 8000u);
  control(0xC2);  // read back: status, then count
  to_tick(3000);
  EXPECT_EQ(pit_.ports().read(0, 1), 0xB4u);
  EXPECT_EQ(read(0), 8000u);
  control(0x34);
  control(0xE2);  // status alone: no count yet
  EXPECT_EQ(pit_.ports().read(0, 1), 0xF4u);
}

TEST_F(PitTest, OneByteAccessAndBcd) {
  control(0x14);  // low byte only
  pit_.ports().write(0, 1, 100);
  to_tick(30);
  EXPECT_EQ(pit_.ports().read(0, 1), 70u);
  control(0x75);  // channel 1, both bytes, BCD
  count(1, 0x1000);
  to_tick(31);
  EXPECT_EQ(read(1), 0x0999u);
}

TEST_F(PitTest, AResetEndsItsInterrupts) {
  control(0x34);
  count(0, 1000);
  pit_.reset();
  const unsigned before = irq0_.rises;
  to_tick(10000);
  EXPECT_EQ(irq0_.rises, before);
}

}  // namespace
}  // namespace pileus::machine
