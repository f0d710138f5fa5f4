#include "machine/devices/cmos.h"

#include <gtest/gtest.h>

namespace pileus::machine {
namespace {

// 2023-11-14 22:13:20 UTC, a Tuesday.
constexpr std::time_t kMoment = 1700000000;

u8 get(Cmos& cmos, u8 index) {
  cmos.write(0, 1, index);
  return static_cast<u8>(cmos.read(1, 1));
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

}  // namespace
}  // namespace pileus::machine
