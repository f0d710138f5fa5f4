#include "ec2/networks/blocks.h"

namespace pileus::ec2 {
namespace {

constexpr u8 kLargest = 16;
constexpr u8 kSmallest = 28;

}  // namespace

Reply<packet::Cidr> read_block(const std::string& text, const char* refusal) {
  const std::optional<packet::Cidr> block = packet::parse_cidr(text);
  if (!block || text.find('/') == std::string::npos) {
    return ApiError(
        "InvalidParameterValue",
        "Value (" + text.substr(0, 50) + ") for parameter cidrBlock is invalid. This is not a valid CIDR block.");
  }
  if (block->prefix < kLargest || block->prefix > kSmallest) {
    return ApiError(refusal, "The CIDR '" + text.substr(0, 50) + "' is invalid: it is a /16 to a /28");
  }
  return *block;
}

bool contains(const packet::Cidr& outer, const packet::Cidr& inner) {
  return outer.prefix <= inner.prefix && outer.contains(inner.address);
}

bool overlap(const packet::Cidr& one, const packet::Cidr& other) {
  return contains(one, other) || contains(other, one);
}

u32 size_of(const packet::Cidr& block) { return 1U << (32U - block.prefix); }

packet::Cidr block_of(const std::string& text) { return packet::parse_cidr(text).value_or(packet::Cidr{0, 32}); }

std::vector<model::VpcBlock> blocks_of(const model::VpcDesired& vpc) {
  std::vector<model::VpcBlock> blocks = {{model::VpcBlockId(vpc.id.value()), vpc.cidr}};
  blocks.insert(blocks.end(), vpc.blocks.begin(), vpc.blocks.end());
  return blocks;
}

}  // namespace pileus::ec2
