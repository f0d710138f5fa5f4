#include "debug/profile/flame_graph.h"

#include <gtest/gtest.h>

namespace pileus::debug {
namespace {

using engine::Activity;

const SymbolTable kSymbols({{0xFFFFFFFF81000000, "schedule"},
                            {0xFFFFFFFF81000100, "do_idle"},
                            {0xFFFFFFFF81000200, "a;b<c>&\"d"},
                            {0xFFFFFFFF81000300, "end"}});

engine::Profile some_profile() {
  engine::Profile profile;
  profile.entries = {{Activity::kGuest, false, {0xFFFFFFFF81000010, 0xFFFFFFFF81000120}, 60},
                     {Activity::kGuest, false, {0xFFFFFFFF81000020, 0xFFFFFFFF81000130}, 10},
                     {Activity::kGuest, true, {0x401000}, 20},
                     {Activity::kInterpret, false, {0xFFFFFFFFC0001000}, 5},
                     {Activity::kHalted, false, {}, 105}};
  profile.samples = 200;
  return profile;
}

TEST(Folding, NamesFramesAndAddsUp) {
  const Folded folded = fold(some_profile(), kSymbols);
  EXPECT_EQ(encode_folded(folded),
            "guest code;do_idle;schedule 70\n"
            "guest code;user 20\n"
            "halted 105\n"
            "interpreting;[module] 5\n");
}

TEST(Folding, GoesThroughText) {
  const Folded folded = fold(some_profile(), kSymbols);
  EXPECT_EQ(parse_folded(encode_folded(folded)), folded);
  for (const char* bad : {"x", "x y", " 5", "x 5\ny"}) EXPECT_FALSE(parse_folded(bad).has_value()) << bad;
}

TEST(Folding, ANameIsOneFrame) {
  engine::Profile profile;
  profile.entries = {{Activity::kGuest, false, {0xFFFFFFFF81000210}, 1}};
  EXPECT_EQ(encode_folded(fold(profile, kSymbols)), "guest code;a_b<c>&\"d 1\n");
}

TEST(FlameGraph, HasEveryBoxWithItsShare) {
  const std::string svg = draw_flame_graph(fold(some_profile(), kSymbols), "a <profile>");
  EXPECT_NE(svg.find("<title>all (200 samples, 100.00%)</title>"), std::string::npos);
  EXPECT_NE(svg.find("<title>schedule (70 samples, 35.00%)</title>"), std::string::npos);
  EXPECT_NE(svg.find("a &lt;profile&gt;"), std::string::npos);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
}

TEST(FlameGraph, EscapesHostileNames) {
  const std::string svg = draw_flame_graph({{{"guest code", "<x>&\"\x01\xFF"}, 1}}, "t");
  EXPECT_NE(svg.find("&lt;x&gt;&amp;&quot;??"), std::string::npos);
}

TEST(FlameGraph, EmptyOneIsStillOne) {
  const std::string svg = draw_flame_graph({}, "nothing");
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  EXPECT_NE(svg.find("all (0 samples, 0.00%)"), std::string::npos);
}

TEST(ProfileTable, SortsBySelfTime) {
  const ProfileTable table = tabulate(fold(some_profile(), kSymbols), 2);
  EXPECT_EQ(table.total, 200);
  ASSERT_EQ(table.activities.size(), 3);
  EXPECT_EQ(table.activities[0].name, "halted");
  ASSERT_EQ(table.functions.size(), 2);
  EXPECT_EQ(table.functions[0].name, "schedule");
  EXPECT_EQ(table.functions[0].count, 70);
  EXPECT_EQ(table.functions[1].name, "user");
}

}  // namespace
}  // namespace pileus::debug
