#include "debug/profile/kallsyms.h"

#include <gtest/gtest.h>

#include "debug/testing/kallsyms_image.h"

namespace pileus::debug {
namespace {

using testing::KallsymsImage;
using testing::KallsymsLayout;
constexpr u64 kBase = testing::kKallsymsBase;

class Kallsyms : public ::testing::TestWithParam<std::tuple<std::size_t, KallsymsLayout>> {};

TEST_P(Kallsyms, FindsAllNames) {
  const auto [count, layout] = GetParam();
  const auto table = parse_kallsyms(KallsymsImage(count).image(layout));
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->symbols().size(), count);
  EXPECT_EQ(table->find(kBase), "vfs_read0");
  EXPECT_EQ(table->find(kBase + 64 * 255 + 63), "vfs_read255");
  EXPECT_EQ(table->find(kBase + 64 * (count - 1)), "vfs_read" + std::to_string(count - 1));
  EXPECT_EQ(table->find(kBase + 64 * 7), "vfs_read7" + std::string(200, 'x'));
  EXPECT_EQ(table->find(kBase - 1), "");
  EXPECT_EQ(table->find(0xFFFFFFFFC0000000), "");
}
INSTANTIATE_TEST_SUITE_P(Layouts, Kallsyms,
                         ::testing::Combine(::testing::Values(300, 512, 513, 1025),
                                            ::testing::Values(KallsymsLayout::kPlain, KallsymsLayout::kWithOrder,
                                                              KallsymsLayout::kOffsetsLast)));

// A guest may write what it likes where its tables are.
TEST(KallsymsDamaged, IsRefusedOrReadWithinBounds) {
  const std::vector<u8> good = KallsymsImage(600).image(KallsymsLayout::kPlain);
  u64 state = 1;
  for (int round = 0; round < 3000; ++round) {
    std::vector<u8> bad = good;
    for (int change = 0; change < 4; ++change) {
      state = state * 6364136223846793005 + 1442695040888963407;
      bad[0x1238 + (state >> 33) % (bad.size() - 0x1238)] = static_cast<u8>(state >> 20);
    }
    bad.resize(bad.size() - (state >> 40) % 6000);
    const auto table = parse_kallsyms(bad);
    if (table) {
      EXPECT_LE(table->symbols().size(), 1024);
    }
  }
  EXPECT_FALSE(parse_kallsyms(std::vector<u8>(100000, 0)).has_value());
  EXPECT_FALSE(parse_kallsyms({}).has_value());
}

}  // namespace
}  // namespace pileus::debug
