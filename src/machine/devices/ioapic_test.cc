#include "machine/devices/ioapic.h"

#include <gtest/gtest.h>

#include <utility>

namespace pileus::machine {
namespace {

class IoapicTest : public ::testing::Test, private guest::MsiSink {
 protected:
  IoapicTest() { ioapic_.set_sink(this); }

  void set(u8 index, u32 value) {
    ioapic_.write(0, 4, index);
    ioapic_.write(0x10, 4, value);
  }
  u32 get(u8 index) {
    ioapic_.write(0, 4, index);
    return static_cast<u32>(ioapic_.read(0x10, 4));
  }
  void program(unsigned pin, u32 low, u32 high = 0) {
    set(static_cast<u8>(0x11 + 2 * pin), high);
    set(static_cast<u8>(0x10 + 2 * pin), low);
  }

  Ioapic ioapic_;
  std::vector<std::pair<u64, u32>> sent_;

 private:
  void signal_msi(u64 address, u32 data) override { sent_.emplace_back(address, data); }
};

constexpr u32 kLevel = 0x8000, kMasked = 0x10000;

TEST_F(IoapicTest, HasTwentyFourMaskedPins) {
  EXPECT_EQ(get(1), 0x00170020u);
  EXPECT_EQ(get(0x10), kMasked);
  EXPECT_EQ(get(0x10 + 2 * 23), kMasked);
  EXPECT_EQ(get(0x10 + 2 * 24), 0u);
}

TEST_F(IoapicTest, EdgeFiresOncePerRise) {
  program(4, 0x31, 2u << 24);
  ioapic_.line(4).set(true);
  ioapic_.line(4).set(true);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0], std::pair(u64{0xFEE02000}, u32{0x4031}));
  ioapic_.line(4).set(false);
  ioapic_.line(4).set(true);
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(IoapicTest, LevelWaitsForTheEoiAndFiresAgainWhileAsserted) {
  program(9, 0x42 | kLevel | 0x800);  // logical destination
  ioapic_.line(9).set(true);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0], std::pair(u64{0xFEE00004}, u32{0xC042}));
  EXPECT_NE(get(0x10 + 18) & 0x4000, 0u);
  ioapic_.line(9).set(false);
  ioapic_.line(9).set(true);
  EXPECT_EQ(sent_.size(), 1u);
  ioapic_.on_eoi(0x41);
  EXPECT_EQ(sent_.size(), 1u);
  ioapic_.on_eoi(0x42);
  EXPECT_EQ(sent_.size(), 2u);
  ioapic_.line(9).set(false);
  ioapic_.write(0x40, 4, 0x42);
  EXPECT_EQ(sent_.size(), 2u);
  EXPECT_EQ(get(0x10 + 18) & 0x4000, 0u);
}

TEST_F(IoapicTest, MaskedPinsStaySilentAndLevelsAreRemembered) {
  program(3, 0x33 | kLevel | kMasked);
  ioapic_.line(3).set(true);
  EXPECT_TRUE(sent_.empty());
  program(3, 0x33 | kLevel);
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(IoapicTest, RemoteIrrIsNotWritableAndEdgeClearsIt) {
  program(5, 0x35 | kLevel);
  ioapic_.line(5).set(true);
  program(5, 0x35 | kLevel | kMasked);
  EXPECT_NE(get(0x10 + 10) & 0x4000, 0u);
  program(5, 0x35 | kMasked);
  EXPECT_EQ(get(0x10 + 10) & 0x4000, 0u);
}

TEST_F(IoapicTest, ExtendedDestination) {
  program(4, 0x31, 0x01020000);  // destination 0x01, extended bits: 1
  ioapic_.line(4).set(true);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].first, 0xFEE01020u);
}

TEST_F(IoapicTest, ResetMasksEverything) {
  program(4, 0x31);
  ioapic_.reset();
  ioapic_.line(4).set(true);
  EXPECT_TRUE(sent_.empty());
}

}  // namespace
}  // namespace pileus::machine
