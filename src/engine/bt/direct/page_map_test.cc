#include "engine/bt/direct/page_map.h"

#include <gtest/gtest.h>

#include <vector>

namespace pileus::engine::bt::direct {
namespace {

constexpr u64 kPage = PageMap::kPageBytes, kTop = 0x7FFF'FFFF'F000;

TEST(PageMap, FindsWhatWasSet) {
  PageMap map;
  map.set(kTop, {0x5000, PROT_READ});
  map.set(kTop - kPage, {0, PROT_READ | PROT_WRITE});  // guest-physical page 0 is one
  EXPECT_EQ(map.find(kTop).gpa, 0x5000U);
  EXPECT_EQ(map.find(kTop).protection, PROT_READ);
  EXPECT_EQ(map.find(kTop - kPage).protection, PROT_READ | PROT_WRITE);
  EXPECT_FALSE(map.find(kTop - 2 * kPage));
  EXPECT_FALSE(map.find(0));
  EXPECT_EQ(map.size(), 2U);
}

TEST(PageMap, SettingAgainReplaces) {
  PageMap map;
  map.set(0x10000, {0x1000, PROT_READ});
  map.set(0x10000, {0x2000, PROT_READ | PROT_EXEC});
  EXPECT_EQ(map.size(), 1U);
  EXPECT_EQ(map.find(0x10000).gpa, 0x2000U);
  EXPECT_EQ(map.find(0x10000).protection, PROT_READ | PROT_EXEC);
}

TEST(PageMap, ErasesOnePageOfItsGroup) {
  PageMap map;
  map.set(0x10000, {0x1000, PROT_READ});
  map.set(0x11000, {0x2000, PROT_READ});
  EXPECT_TRUE(map.erase(0x10000));
  EXPECT_FALSE(map.erase(0x10000));
  EXPECT_FALSE(map.erase(0x90000));
  EXPECT_FALSE(map.find(0x10000));
  EXPECT_TRUE(map.find(0x11000));
  EXPECT_TRUE(map.erase(0x11000));
  EXPECT_EQ(map.size(), 0U);
}

TEST(PageMap, KeepsWhatItIsToldTo) {
  PageMap map;
  for (u64 i = 0; i < 40; ++i) map.set(0x400000 + i * kPage, {i * kPage, PROT_READ});
  std::vector<u64> seen;
  map.keep_if([&](u64 va, PageMap::Page page) {
    EXPECT_EQ(va - 0x400000, page.gpa);
    seen.push_back(va);
    return page.gpa / kPage % 3 == 0;
  });
  EXPECT_EQ(seen.size(), 40U);
  EXPECT_EQ(map.size(), 14U);
  EXPECT_TRUE(map.find(0x400000 + 39 * kPage));
  EXPECT_FALSE(map.find(0x400000 + 38 * kPage));
  map.keep_if([](u64, PageMap::Page) { return false; });
  EXPECT_EQ(map.size(), 0U);
}

}  // namespace
}  // namespace pileus::engine::bt::direct
