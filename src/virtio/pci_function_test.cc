#include "virtio/pci_function.h"

#include <gtest/gtest.h>

namespace pileus::virtio {
namespace {

constexpr PciIdentity kIdentity = {0x1AF4, 0x1044, 1, 0xFF0000, 0x1AF4, 0x44};

TEST(PciConfigSpace, IdentityIsReadOnly) {
  PciConfigSpace config(kIdentity);
  config.write(0, 4, 0);
  EXPECT_EQ(config.read(0, 4), 0x10441AF4U);
  EXPECT_EQ(config.read(8, 4), 0xFF000001U);
  EXPECT_EQ(config.read(0x2C, 4), 0x00441AF4U);
  EXPECT_EQ(config.read(0x0E, 1), 0U);  // header type 0, one function
  EXPECT_EQ(config.read(0x100, 4), 0U);
  EXPECT_EQ(config.read(0xFFC, 4), 0U);
}

TEST(PciConfigSpace, BarsAreSizedAndMoved) {
  PciConfigSpace config(kIdentity);
  std::vector<std::optional<u64>> small;
  std::vector<std::optional<u64>> large;
  config.add_bar(0, PciConfigSpace::BarKind::kMemory32, 0x1000, false,
                 [&](std::optional<u64> at) { small.push_back(at); });
  config.add_bar(2, PciConfigSpace::BarKind::kMemory64, 0x8000, true,
                 [&](std::optional<u64> at) { large.push_back(at); });
  config.write(0x10, 4, ~u32{0});
  EXPECT_EQ(config.read(0x10, 4), 0xFFFFF000U);
  config.write(0x14, 4, ~u32{0});
  EXPECT_EQ(config.read(0x14, 4), 0U);  // no such BAR
  config.write(0x18, 4, ~u32{0});
  config.write(0x1C, 4, ~u32{0});
  EXPECT_EQ(config.read(0x18, 4), 0xFFFF800CU);
  EXPECT_EQ(config.read(0x1C, 4), 0xFFFFFFFFU);
  EXPECT_TRUE(small.empty() && large.empty());  // nothing is decoded yet

  config.write(0x10, 4, 0xC0000000);
  config.write(0x18, 4, 0x00010000);
  config.write(0x1C, 4, 0x00000008);
  config.write(kPciCommand, 2, kPciCommandMemory);
  EXPECT_EQ(small.back(), 0xC0000000U);
  EXPECT_EQ(large.back(), 0x800010000U);
  EXPECT_EQ(config.bar_address(2), 0x800010000U);
  config.write(0x12, 2, 0xC001);  // half of it
  EXPECT_EQ(small.back(), 0xC0010000U);
  EXPECT_EQ(large.size(), 1U);
  config.write(kPciCommand, 2, 0);
  EXPECT_EQ(small.back(), std::nullopt);
  EXPECT_EQ(large.back(), std::nullopt);
}

TEST(PciConfigSpace, CapabilitiesAreLinkedAndMasked) {
  PciConfigSpace config(kIdentity);
  EXPECT_EQ(config.read(6, 2) & 0x10, 0U);
  const std::array<u8, 3> body = {1, 2, 3};
  const std::array<u8, 1> writable = {0x80};
  const u16 first = config.add_capability(9, body, writable);
  const u16 second = config.add_capability(0x11, body);
  EXPECT_NE(config.read(6, 2) & 0x10, 0U);
  EXPECT_EQ(config.read(kPciCapabilities, 1), first);
  EXPECT_EQ(config.read(first, 2), 9U | u32{second} << 8);
  EXPECT_EQ(config.read(second, 2), 0x11U);
  EXPECT_EQ(first % 4, 0);
  EXPECT_EQ(second % 4, 0);
  config.write(first, 4, ~u32{0});
  config.write(second, 4, ~u32{0});
  EXPECT_EQ(config.read(static_cast<u16>(first + 2), 2), 0x0281U);
  EXPECT_EQ(config.read(static_cast<u16>(second + 2), 2), 0x0201U);
}

}  // namespace
}  // namespace pileus::virtio
