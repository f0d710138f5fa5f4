#include "machine/devices/slot_ports.h"

#include <gtest/gtest.h>

namespace pileus::machine {
namespace {

TEST(SlotPorts, NewsIsTakenOnce) {
  SlotPorts ports([](u32) {});
  EXPECT_FALSE(ports.has_news());
  ports.came(5);
  ports.came(7);
  ports.ask_to_leave(31);
  EXPECT_TRUE(ports.has_news());
  EXPECT_EQ(ports.read(SlotPorts::kCame, 4), 1U << 5 | 1U << 7);
  EXPECT_EQ(ports.read(SlotPorts::kCame, 4), 0U);
  EXPECT_TRUE(ports.has_news());
  EXPECT_EQ(ports.read(SlotPorts::kLeave, 4), 1U << 31);
  EXPECT_FALSE(ports.has_news());
}

TEST(SlotPorts, OnlyWholeWritesEject) {
  u32 ejected = 0;
  SlotPorts ports([&](u32 slots) { ejected |= slots; });
  ports.write(SlotPorts::kEject, 1, 0xFF);
  ports.write(SlotPorts::kCame, 4, 0xFF);
  EXPECT_EQ(ejected, 0U);
  ports.write(SlotPorts::kEject, 4, 1 << 4);
  EXPECT_EQ(ejected, 1U << 4);
}

TEST(SlotPorts, OddReadsLeaveTheNews) {
  SlotPorts ports([](u32) {});
  ports.came(4);
  EXPECT_EQ(ports.read(SlotPorts::kCame, 1), 0U);
  EXPECT_EQ(ports.read(SlotPorts::kEject, 4), 0U);
  EXPECT_TRUE(ports.has_news());
  ports.reset();
  EXPECT_FALSE(ports.has_news());
}

}  // namespace
}  // namespace pileus::machine
