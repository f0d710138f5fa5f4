#include "ec2/networks/blocks.h"

#include <gtest/gtest.h>

namespace pileus::ec2 {
namespace {

std::string refusal(const std::string& text) {
  const auto block = read_block(text, "InvalidVpc.Range");
  return block.ok() ? packet::cidr_text(*block) : block.error().code;
}

TEST(Blocks, AreRead) {
  EXPECT_EQ(refusal("10.0.0.0/16"), "10.0.0.0/16");
  EXPECT_EQ(refusal("10.0.0.77/28"), "10.0.0.64/28");
  EXPECT_EQ(refusal("10.0.0.0/15"), "InvalidVpc.Range");
  EXPECT_EQ(refusal("10.0.0.0/29"), "InvalidVpc.Range");
  for (const char* text : {"", "10.0.0.0", "10.0.0/16", "10.0.0.0/x", "10.0.0.0/33", "::/16"}) {
    EXPECT_EQ(refusal(text), "InvalidParameterValue") << text;
  }
}

TEST(Blocks, ContainAndOverlap) {
  const packet::Cidr large = block_of("10.0.0.0/16");
  const packet::Cidr small = block_of("10.0.4.0/24");
  EXPECT_TRUE(contains(large, small));
  EXPECT_FALSE(contains(small, large));
  EXPECT_TRUE(overlap(small, large));
  EXPECT_FALSE(overlap(small, block_of("10.0.5.0/24")));
  EXPECT_EQ(size_of(small), 256U);
}

TEST(Blocks, OfANetworkBeginWithItsFirst) {
  model::VpcDesired vpc;
  vpc.id = model::VpcId(7);
  vpc.cidr = "10.0.0.0/16";
  vpc.blocks = {{model::VpcBlockId(9), "10.1.0.0/16"}};
  const auto blocks = blocks_of(vpc);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].id, model::VpcBlockId(7));
  EXPECT_EQ(blocks[1].cidr, "10.1.0.0/16");
}

}  // namespace
}  // namespace pileus::ec2
