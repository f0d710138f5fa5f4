#include "debug/gdb/packet.h"

#include <gtest/gtest.h>

namespace pileus::debug::gdb {
namespace {

Received one(std::string_view bytes) {
  PacketReader reader;
  EXPECT_TRUE(reader.append(bytes));
  const auto received = reader.next();
  EXPECT_TRUE(received.has_value());
  return received.value_or(Received{});
}

TEST(Packet, IsFramedAndSummed) {
  EXPECT_EQ(encode_packet("OK"), "$OK#9a");
  EXPECT_EQ(encode_packet(""), "$#00");
}

TEST(Packet, EscapesWhatFramesIt) {
  const std::string payload = "a$b#c}d*e";
  const std::string wire = encode_packet(payload);
  EXPECT_EQ(wire.find('*'), std::string::npos);
  EXPECT_EQ(wire.find('$', 1), std::string::npos);
  EXPECT_EQ(one(wire).text, payload);
}

TEST(Packet, ComesInPieces) {
  PacketReader reader;
  for (const char byte : std::string_view("+$g#6")) {
    EXPECT_TRUE(reader.append({&byte, 1}));
    EXPECT_FALSE(reader.next().has_value());
  }
  EXPECT_TRUE(reader.append("7$m0,4#fd\x03"));
  EXPECT_EQ(reader.next()->text, "g");
  EXPECT_EQ(reader.next()->text, "m0,4");
  EXPECT_EQ(reader.next()->kind, Received::Kind::kInterrupt);
  EXPECT_FALSE(reader.next().has_value());
}

TEST(Packet, WrongSumAndNackAreTold) {
  EXPECT_EQ(one("$g#68").kind, Received::Kind::kBroken);
  EXPECT_EQ(one("$g#zz").kind, Received::Kind::kBroken);
  EXPECT_EQ(one("-").kind, Received::Kind::kNack);
}

TEST(Packet, EndlessPacketIsRefused) {
  PacketReader reader;
  bool taken = reader.append("$");
  for (std::size_t i = 0; i < 100 && taken; ++i) taken = reader.append(std::string(1024, 'x'));
  EXPECT_FALSE(taken);
}

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(to_hex(std::vector<u8>{0, 0x7F, 0xFF}), "007fff");
  EXPECT_EQ(from_hex("007fFF"), (std::vector<u8>{0, 0x7F, 0xFF}));
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("0g").has_value());
  EXPECT_EQ(parse_hex("ffffffff81000000"), 0xFFFFFFFF81000000);
  for (const char* bad : {"", "-1", "x", "1 ", "10000000000000000"}) EXPECT_FALSE(parse_hex(bad).has_value()) << bad;
}

}  // namespace
}  // namespace pileus::debug::gdb
