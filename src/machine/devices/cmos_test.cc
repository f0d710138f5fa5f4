#include "machine/devices/cmos.h"

#include <gtest/gtest.h>

#include "machine/testing/fake_alarm.h"

namespace pileus::machine {
namespace {

// 2023-11-14 22:13:20 UTC, a Tuesday.
constexpr std::time_t kMoment = 1700000000;

u8 get(Cmos& cmos, u8 index) {
  cmos.write(0, 1, index);
  return static_cast<u8>(cmos.read(1, 1));
}

void put(Cmos& cmos, u8 index, u8 value) {
  cmos.write(0, 1, index);
  cmos.write(1, 1, value);
}

TEST(Cmos, TellsTheTimeInBcd) {
  Cmos cmos([] { return kMoment; });
  EXPECT_EQ(get(cmos, 0x00), 0x20);
  EXPECT_EQ(get(cmos, 0x02), 0x13);
  EXPECT_EQ(get(cmos, 0x04), 0x22);
  EXPECT_EQ(get(cmos, 0x06), 3);
  EXPECT_EQ(get(cmos, 0x07), 0x14);
  EXPECT_EQ(get(cmos, 0x08), 0x11);
  EXPECT_EQ(get(cmos, 0x09), 0x23);
  EXPECT_EQ(get(cmos, 0x32), 0x20);
}

TEST(Cmos, BinaryAndTwelveHours) {
  Cmos cmos([] { return kMoment; });
  cmos.write(0, 1, 0x0B);
  cmos.write(1, 1, 0x04);
  EXPECT_EQ(get(cmos, 0x02), 13);
  EXPECT_EQ(get(cmos, 0x04), 10 | 0x80);
}

TEST(Cmos, NeverUpdatesAndIsValid) {
  Cmos cmos;
  EXPECT_EQ(get(cmos, 0x0A) & 0x80, 0);
  EXPECT_EQ(get(cmos, 0x0D), 0x80);
  EXPECT_EQ(get(cmos, 0x8D), 0x80);  // bit 7 of the index is the NMI switch
}

TEST(Cmos, KeepsItsMemory) {
  Cmos cmos;
  cmos.set_memory(0x3D, 2);
  EXPECT_EQ(get(cmos, 0x3D), 2);
  put(cmos, 0x0F, 0x0A);
  put(cmos, 0x32, 0x99);  // the century is the clock's
  cmos.reset();
  EXPECT_EQ(get(cmos, 0x0F), 0x0A);
  EXPECT_EQ(get(cmos, 0x32), 0x20);
}

constexpr u64 kNs = 1'000'000'000;

class ConnectedCmos : public ::testing::Test {
 protected:
  ConnectedCmos() {
    time_.now = kMoment * kNs + kNs / 2;
    cmos_.connect(irq8_, time_.clock());
    cmos_.set_alarm(&time_);
  }
  void pass(u64 ns) {
    time_.run(time_.now + ns, [this] { cmos_.on_alarm(); });
  }

  testing::FakeAlarm time_;
  testing::FakeLine irq8_;
  Cmos cmos_{[this] { return static_cast<std::time_t>(time_.now / kNs); }};
};

TEST_F(ConnectedCmos, InterruptsPeriodicallyAndWaitsForItsReader) {
  put(cmos_, 0x0B, 0x42);
  pass(2'000'000);
  EXPECT_TRUE(irq8_.level);
  pass(kNs);
  EXPECT_EQ(irq8_.rises, 1u);
  EXPECT_EQ(get(cmos_, 0x0C) & 0xE0, 0xC0);
  EXPECT_FALSE(irq8_.level);
  EXPECT_EQ(get(cmos_, 0x0C), 0);
  unsigned rises = 0;
  for (unsigned ms = 0; ms < 1000; ++ms) {
    pass(1'000'000);
    if ((get(cmos_, 0x0C) & 0x40) != 0) ++rises;
  }
  EXPECT_GE(rises, 995u);  // 1024 Hz, looked at 1000 times
  put(cmos_, 0x0A, 0x2F);  // 2 Hz
  get(cmos_, 0x0C);
  irq8_.rises = 0;
  for (unsigned i = 0; i < 100; ++i) {
    pass(kNs / 10);
    get(cmos_, 0x0C);
  }
  EXPECT_EQ(irq8_.rises, 20u);
}

// Whatever the reader takes, the line falls behind it: an edge is all that the interrupt controller sees.
TEST_F(ConnectedCmos, APeriodThatEndsWhileItsRegisterIsReadIsNotLost) {
  constexpr u64 kPeriod = 976'562;
  time_.step = kPeriod;
  put(cmos_, 0x0B, 0x42);
  cmos_.on_alarm();
  for (unsigned i = 1; i <= 10; ++i) {
    EXPECT_TRUE(irq8_.level);
    EXPECT_EQ(irq8_.rises, i);
    get(cmos_, 0x0C);
    EXPECT_FALSE(irq8_.level);
    cmos_.on_alarm();
  }
}

TEST_F(ConnectedCmos, TellsOfEverySecond) {
  put(cmos_, 0x0B, 0x12);
  pass(kNs / 4);
  EXPECT_FALSE(irq8_.level);
  pass(kNs / 4 + 1000);
  EXPECT_TRUE(irq8_.level);
  EXPECT_EQ(get(cmos_, 0x0C) & 0x90, 0x90);
  put(cmos_, 0x0B, 0x82);  // SET stops it
  pass(5 * kNs);
  EXPECT_EQ(irq8_.rises, 1u);
}

TEST_F(ConnectedCmos, AlarmsAtTheTimeThatWasSet) {
  put(cmos_, 0x01, 0x25);  // 22:13:25, BCD
  put(cmos_, 0x03, 0x13);
  put(cmos_, 0x05, 0xC0);  // at whatever hour
  put(cmos_, 0x0B, 0x22);
  EXPECT_EQ(get(cmos_, 0x01), 0x25);
  pass(4 * kNs);
  EXPECT_FALSE(irq8_.level);
  pass(kNs);
  EXPECT_TRUE(irq8_.level);
  EXPECT_EQ(get(cmos_, 0x0C) & 0xA0, 0xA0);
  pass(60 * kNs);
  EXPECT_EQ(irq8_.rises, 1u);  // the hour after
}

TEST_F(ConnectedCmos, APollingGuestSeesTheFlags) {
  pass(kNs);
  EXPECT_EQ(get(cmos_, 0x0C), 0x50);
  EXPECT_FALSE(irq8_.level);
}

}  // namespace
}  // namespace pileus::machine
