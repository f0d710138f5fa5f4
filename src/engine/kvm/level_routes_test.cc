#include "engine/kvm/level_routes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pileus::engine::kvm {
namespace {

bool has(const LevelRoutes& routes, const guest::MsiMessage& message) {
  return std::find(routes.slots().begin(), routes.slots().end(), message) != routes.slots().end();
}

TEST(LevelRoutes, LearnsAMessageOnce) {
  LevelRoutes routes;
  EXPECT_TRUE(routes.learn({0xFEE00000, 0xC040}));
  EXPECT_FALSE(routes.learn({0xFEE00000, 0xC040}));
  EXPECT_TRUE(routes.learn({0xFEE01000, 0xC040}));
  EXPECT_TRUE(has(routes, {0xFEE00000, 0xC040}));
}

TEST(LevelRoutes, ForgetsTheOldestWhenFull) {
  LevelRoutes routes;
  for (u32 i = 0; i < LevelRoutes::kSlots; ++i) EXPECT_TRUE(routes.learn({0xFEE00000, 0xC000 + i}));
  EXPECT_TRUE(has(routes, {0xFEE00000, 0xC000}));
  EXPECT_TRUE(routes.learn({0xFEE00000, 0xD000}));
  EXPECT_FALSE(has(routes, {0xFEE00000, 0xC000}));
  EXPECT_TRUE(has(routes, {0xFEE00000, 0xC001}));
}

}  // namespace
}  // namespace pileus::engine::kvm
