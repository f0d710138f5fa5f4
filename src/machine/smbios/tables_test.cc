#include "machine/smbios/tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "machine/loader/bytes.h"

namespace pileus::machine {
namespace {

constexpr u64 kAddress = 0xF0020;

struct Structure {
  Bytes bytes;
  std::vector<std::string> strings;

  // What the string number at `offset` stands for.
  std::string text(u64 offset) const {
    const u8 number = bytes[offset];
    return number == 0 || number > strings.size() ? "" : strings[number - 1u];
  }
};

// Walks the block as a guest does.
std::multimap<u8, Structure> walk(Bytes block) {
  std::multimap<u8, Structure> found;
  u64 at = 0;
  while (at + 4 <= block.size()) {
    const u8 type = block[at], length = block[at + 1];
    Structure structure{block.subspan(at, length), {}};
    at += length;
    while (block[at] != 0) {
      const std::string text(reinterpret_cast<const char*>(&block[at]));
      structure.strings.push_back(text);
      at += text.size() + 1;
    }
    at += structure.strings.empty() ? 2U : 1U;
    found.emplace(type, structure);
  }
  EXPECT_EQ(at, block.size());
  return found;
}

SmbiosBoard board() {
  SmbiosBoard board;
  board.identity = {.manufacturer = "Maker",
                    .product = "t3.micro",
                    .serial = "ec2a1111-2222-4333-8444-555566667777",
                    .asset_tag = "i-1",
                    .note = "a=b",
                    .uuid = *parse_uuid("ec2a1111-2222-4333-8444-555566667777")};
  board.cpu_count = 3;
  board.ram = {{0, 2 * kGiB}, {4 * kGiB, 6 * kGiB}};
  return board;
}

TEST(Smbios, EntryPointLeadsToAllStructures) {
  const SmbiosTables tables = build_smbios(kAddress, board());
  const Bytes entry = tables.entry_point;
  EXPECT_EQ(std::string(entry.begin(), entry.begin() + 5), "_SM3_");
  EXPECT_EQ(static_cast<u8>(std::accumulate(entry.begin(), entry.end(), 0u)), 0);
  EXPECT_EQ(entry[6], entry.size());
  EXPECT_EQ(load<u32>(entry, 12), tables.structures.size());
  EXPECT_EQ(load<u64>(entry, 16), kAddress);
  std::vector<u8> types;
  for (const auto& [type, structure] : walk(tables.structures)) types.push_back(type);
  EXPECT_EQ(types, (std::vector<u8>{0, 1, 2, 3, 4, 11, 16, 17, 19, 19, 32, 127}));
}

TEST(Smbios, TellsWhoTheSystemIs) {
  const SmbiosTables tables = build_smbios(kAddress, board());
  const auto all = walk(tables.structures);
  const Structure& system = all.find(1)->second;
  EXPECT_EQ(system.text(4), "Maker");
  EXPECT_EQ(system.text(5), "t3.micro");
  EXPECT_EQ(system.text(7), "ec2a1111-2222-4333-8444-555566667777");
  const std::vector<u8> uuid(system.bytes.begin() + 8, system.bytes.begin() + 24);
  EXPECT_EQ(uuid, (std::vector<u8>{0x11, 0x11, 0x2a, 0xec, 0x22, 0x22, 0x33, 0x43, 0x84, 0x44, 0x55, 0x55, 0x66, 0x66,
                                   0x77, 0x77}));
  EXPECT_EQ(all.find(2)->second.text(8), "i-1");
  EXPECT_EQ(all.find(11)->second.strings, std::vector<std::string>{"a=b"});
  EXPECT_EQ(all.find(0)->second.text(4), "Maker");
}

TEST(Smbios, TellsOfProcessorsAndMemory) {
  const SmbiosTables tables = build_smbios(kAddress, board());
  const auto all = walk(tables.structures);
  EXPECT_EQ(all.find(4)->second.bytes[0x23], 3);
  EXPECT_EQ(load<u64>(all.find(16)->second.bytes, 0x0F), 4 * kGiB);
  EXPECT_EQ(load<u16>(all.find(17)->second.bytes, 0x0C), 4096);
  auto range = all.find(19);
  EXPECT_EQ(load<u64>(range->second.bytes, 0x17), 2 * kGiB - 1);
  EXPECT_EQ(load<u64>((++range)->second.bytes, 0x0F), 4 * kGiB);
}

TEST(Smbios, LargeMemoryNeedsTheLongField) {
  SmbiosBoard large = board();
  large.ram = {{0, 64 * kGiB}};
  const SmbiosTables tables = build_smbios(kAddress, large);
  const auto all = walk(tables.structures);
  const Bytes device = all.find(17)->second.bytes;
  EXPECT_EQ(load<u16>(device, 0x0C), 0x7FFF);
  EXPECT_EQ(load<u32>(device, 0x1C), 64u * 1024);
}

TEST(Smbios, NothingIsSaidWhereNothingIsKnown) {
  SmbiosBoard plain = board();
  plain.identity = {};
  const SmbiosTables tables = build_smbios(kAddress, plain);
  const auto all = walk(tables.structures);
  EXPECT_EQ(all.find(1)->second.bytes[7], 0);
  EXPECT_TRUE(std::ranges::all_of(all.find(1)->second.bytes.subspan(8, 16), [](u8 byte) { return byte == 0; }));
  EXPECT_EQ(all.find(2)->second.text(8), "");
  EXPECT_FALSE(all.contains(11));
}

TEST(Smbios, UuidsHaveOneForm) {
  EXPECT_EQ((*parse_uuid("00112233-4455-6677-8899-aabbccddeeff"))[15], 0xFF);
  EXPECT_TRUE(parse_uuid("00112233-4455-6677-8899-AABBCCDDEEFF"));
  for (const char* wrong : {"", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeeff0",
                            "001122334-455-6677-8899-aabbccddeeff", "0011223g-4455-6677-8899-aabbccddeeff",
                            "00112233-4455-6677-8899-aabbccddee-f"}) {
    EXPECT_FALSE(parse_uuid(wrong)) << wrong;
  }
}

TEST(Smbios, TextsAreShortAndPrintable) {
  EXPECT_TRUE(is_smbios_text("Amazon EC2"));
  EXPECT_TRUE(is_smbios_text(""));
  EXPECT_FALSE(is_smbios_text(std::string("a\0b", 3)));
  EXPECT_FALSE(is_smbios_text("line\nline"));
  EXPECT_FALSE(is_smbios_text(std::string(65, 'x')));
}

}  // namespace
}  // namespace pileus::machine
