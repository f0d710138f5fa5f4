#include "engine/kvm/gsi_routes.h"

#include <gtest/gtest.h>

namespace pileus::engine::kvm {
namespace {

constexpr guest::MsiMessage kMessage{0xFEE00000, 0x40};

TEST(GsiRoutes, NumbersAreGivenAgain) {
  GsiRoutes routes(-1, LevelRoutes::kSlots + 3);
  const u32 first = routes.take().value();
  EXPECT_EQ(first, LevelRoutes::kSlots);
  EXPECT_EQ(routes.take(), first + 1);
  EXPECT_EQ(routes.take(), first + 2);
  EXPECT_FALSE(routes.take().has_value());
  routes.give_back(first + 1);
  EXPECT_EQ(routes.take(), first + 1);
  EXPECT_FALSE(routes.take().has_value());
}

TEST(GsiRoutes, WhatKvmDidNotTakeIsTriedAgain) {
  GsiRoutes routes(-1, LevelRoutes::kSlots + 1);
  const u32 gsi = routes.take().value();
  EXPECT_FALSE(routes.set(gsi, kMessage).ok());
  EXPECT_FALSE(routes.set(gsi, kMessage).ok());
  EXPECT_TRUE(routes.set(gsi, std::nullopt).ok());  // as it is: nothing to do
}

TEST(GsiRoutes, MessagesAreWrittenAsKvmWantsThem) {
  EXPECT_EQ(as_kvm_has_it(kMessage), kMessage);
  // APIC 0x123: the low 8 bits in bits 12 to 19 of the address, the others in bits 5 to 11.
  EXPECT_EQ(as_kvm_has_it({0xFEE23020, 0x40}), (guest::MsiMessage{0x100'FEE23000, 0x40}));
  EXPECT_EQ(as_kvm_has_it({0x1'FEE00000, 0x40}), std::nullopt);
  EXPECT_EQ(as_kvm_has_it({0, 0}), std::nullopt);
}

}  // namespace
}  // namespace pileus::engine::kvm
