#include "machine/legacy/acpi_pm.h"

#include <gtest/gtest.h>

#include "machine/legacy/tick_scale.h"
#include "machine/testing/fake_alarm.h"

namespace pileus::machine {
namespace {

class AcpiPmTest : public ::testing::Test {
 protected:
  AcpiPmTest() {
    pm_.set_alarm(&time_);
    pm_.reset();
  }

  testing::FakeAlarm time_;
  testing::FakeLine sci_;
  unsigned power_offs_ = 0;
  AcpiPm pm_{sci_, {.reset = [] {}, .power_off = [this] { ++power_offs_; }, .exit = [](u32) {}}, time_.clock()};
};

TEST_F(AcpiPmTest, TheTimerCounts) {
  time_.now = kNsPerSecond;
  EXPECT_EQ(pm_.read(AcpiPm::kTimer, 4), AcpiPm::kTimerHertz);
  EXPECT_EQ(pm_.read(AcpiPm::kTimer + 1, 1), AcpiPm::kTimerHertz >> 8 & 0xFF);
  time_.now = 1200 * kNsPerSecond;  // one turn takes 1199.86 s
  EXPECT_EQ(pm_.read(AcpiPm::kTimer, 4), 1200 * AcpiPm::kTimerHertz - (u64{1} << 32));
}

TEST_F(AcpiPmTest, TheCarryInterruptsWhereItIsEnabled) {
  const auto ring = [this] { pm_.on_alarm(); };
  time_.run(700 * kNsPerSecond, ring);
  EXPECT_EQ(pm_.read(AcpiPm::kEvent, 2), 1u);  // a change of bit 31, and nobody wants to know
  EXPECT_FALSE(sci_.level);
  pm_.write(AcpiPm::kEvent, 2, 1);
  EXPECT_EQ(pm_.read(AcpiPm::kEvent, 2), 0u);
  pm_.write(AcpiPm::kEvent + 2, 2, 1);
  time_.run(1100 * kNsPerSecond, ring);
  EXPECT_FALSE(sci_.level);
  time_.run(1201 * kNsPerSecond, ring);
  EXPECT_TRUE(sci_.level);
  pm_.write(AcpiPm::kEvent, 4, 1 | 1 << 16);
  EXPECT_FALSE(sci_.level);
}

TEST_F(AcpiPmTest, SleepTypeFivePowersOff) {
  EXPECT_EQ(pm_.read(AcpiPm::kControl, 2), 1u);  // always in ACPI mode
  pm_.write(AcpiPm::kControl, 2, 5 << 10);
  EXPECT_EQ(pm_.read(AcpiPm::kControl, 2), 1u | 5 << 10);
  EXPECT_EQ(power_offs_, 0u);
  pm_.write(AcpiPm::kControl, 2, 3 << 10 | 1 << 13);  // no such state
  EXPECT_EQ(power_offs_, 0u);
  pm_.write(AcpiPm::kControl, 2, 5 << 10 | 1 << 13);
  EXPECT_EQ(power_offs_, 1u);
  EXPECT_EQ(pm_.read(AcpiPm::kControl, 2) & 1 << 13, 0u);
  pm_.write(AcpiPm::kControl + 1, 1, 5 << 2 | 1 << 5);
  EXPECT_EQ(power_offs_, 2u);
}

}  // namespace
}  // namespace pileus::machine
