#include "debug/guest_virtual.h"

#include <gtest/gtest.h>

#include <array>

namespace pileus::debug {
namespace {

guest::GuestMemory make_memory(u64 bytes) {
  auto memory = guest::GuestMemory::create(bytes, 3 * kGiB);
  CHECK(memory.ok());
  return std::move(memory).value();
}

class GuestVirtual : public ::testing::Test {
 protected:
  GuestVirtual() : memory_(make_memory(16 * kMiB)) {}
  template <typename T>
  void poke(u64 gpa, T value) {
    ASSERT_TRUE(memory_.write(gpa, {reinterpret_cast<const u8*>(&value), sizeof value}));
  }
  guest::GuestMemory memory_;
};

constexpr AddressSpace kLong{.cr0 = 0x80000001, .cr3 = 0x1000, .cr4 = 0x20, .efer = 0x500};

TEST_F(GuestVirtual, WalksFourLevels) {
  poke(0x1000 + 511 * 8, u64{0x2003});
  poke(0x2000 + 510 * 8, u64{0x3003});
  poke(0x3000 + 8 * 8, u64{0x8000000000200083});  // 2 MiB, not executable
  poke(0x3000 + 9 * 8, u64{0x4003});
  poke(0x4000 + 3 * 8, u64{0x7003});
  EXPECT_EQ(translate(memory_, kLong, 0xFFFFFFFF81012345), 0x212345);
  EXPECT_EQ(translate(memory_, kLong, 0xFFFFFFFF81203456), 0x7456);
  EXPECT_FALSE(translate(memory_, kLong, 0xFFFFFFFF81204000).has_value());
  EXPECT_FALSE(translate(memory_, kLong, 0x0000FFFF81203456).has_value());  // not canonical
}

TEST_F(GuestVirtual, WalksFiveLevels) {
  AddressSpace space = kLong;
  space.cr4 |= 1U << 12;
  poke(0x1000, u64{0x2003});
  poke(0x2000 + 1 * 8, u64{0x3003});
  poke(0x3000, u64{0x40000083});  // 1 GiB
  EXPECT_EQ(translate(memory_, space, (u64{1} << 39) + 0x1234), 0x40001234);
}

TEST_F(GuestVirtual, WalksLegacyAndPae) {
  AddressSpace space{.cr0 = 0x80000001, .cr3 = 0x1000, .cr4 = 0x10, .efer = 0};
  poke(0x1000 + 768 * 4, u32{0x2003});
  poke(0x2000 + 5 * 4, u32{0x6003});
  poke(0x1000 + 769 * 4, u32{0x00400083});
  EXPECT_EQ(translate(memory_, space, 0xC0005010), 0x6010);
  EXPECT_EQ(translate(memory_, space, 0xC0401000), 0x401000);
  space.cr4 = 0x20;
  space.cr3 = 0x5020;
  poke(0x5020 + 3 * 8, u64{0x7001});
  poke(0x7000, u64{0x8003});
  poke(0x8000 + 5 * 8, u64{0x9003});
  EXPECT_EQ(translate(memory_, space, 0xC0005010), 0x9010);
}

TEST_F(GuestVirtual, WithoutPagingAddressesArePhysical) {
  EXPECT_EQ(translate(memory_, {.cr0 = 0x11, .cr3 = 0, .cr4 = 0, .efer = 0}, 0x1234), 0x1234);
}

TEST_F(GuestVirtual, ReadsAndWritesOverPages) {
  poke(0x1000, u64{0x2003});
  poke(0x2000, u64{0x3003});
  poke(0x3000, u64{0x4003});
  poke(0x4000, u64{0x9003});
  poke(0x4000 + 8, u64{0x7003});
  const std::array<u8, 4> data{1, 2, 3, 4};
  EXPECT_TRUE(write_virtual(memory_, kLong, 0xFFE, data));
  std::array<u8, 4> back{};
  EXPECT_EQ(read_virtual(memory_, kLong, 0xFFE, back), 4);
  EXPECT_EQ(back, data);
  EXPECT_EQ(*memory_.host(0x9FFF, 1), 2);
  EXPECT_EQ(*memory_.host(0x7000, 1), 3);
  // The page behind is missing: what is there is read, nothing is written.
  EXPECT_EQ(read_virtual(memory_, kLong, 0x1FFE, back), 2);
  EXPECT_FALSE(write_virtual(memory_, kLong, 0x1FFE, data));
  EXPECT_EQ(*memory_.host(0x7FFE, 1), 0);
}

// Tables that the guest made to lead nowhere, or to themselves.
TEST_F(GuestVirtual, HostileTablesLeadNowhere) {
  AddressSpace space = kLong;
  space.cr3 = 0xFFFFFFFFFFFFF000;
  EXPECT_FALSE(translate(memory_, space, 0).has_value());
  poke(0x1000, u64{0x000FFFFFFFFFF003});
  EXPECT_FALSE(translate(memory_, kLong, 0).has_value());
  poke(0x1000, u64{0x1003});
  EXPECT_EQ(translate(memory_, kLong, 0x42), 0x1042);
}

}  // namespace
}  // namespace pileus::debug
