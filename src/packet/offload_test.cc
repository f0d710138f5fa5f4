#include "packet/offload.h"

#include <gtest/gtest.h>

#include <vector>

#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/ipv4.h"

namespace pileus::packet {
namespace {

constexpr std::size_t kIp = kEthernetBytes;
constexpr std::size_t kTcpAt = kIp + kIpv4Bytes;
constexpr std::size_t kHeaders = kTcpAt + kTcpBytes;

// A TCP segment as a guest hands it to a card that is to finish it.
std::vector<u8> large_segment(std::size_t data) {
  std::vector<u8> frame(kHeaders + data);
  store16(frame, 12, kEtherIpv4);
  const std::span<u8> ip = std::span(frame).subspan(kIp);
  ip[0] = 0x45;
  store16(ip, 2, static_cast<u16>(ip.size()));
  store16(ip, 4, 1000);
  ip[8] = 64;
  ip[9] = kTcp;
  store32(ip, 12, 0x0A000001);
  store32(ip, 16, 0x0A000002);
  const std::span<u8> tcp = std::span(frame).subspan(kTcpAt);
  store32(tcp, 4, 0xFFFF'FF00);
  tcp[12] = 5 << 4U;
  tcp[13] = Transport::kAck | Transport::kFin | 8;
  for (std::size_t i = 0; i < data; ++i) frame[kHeaders + i] = static_cast<u8>(i * 7);
  return frame;
}

u64 sum_of_segment(std::span<const u8> frame) {
  const std::span<const u8> tcp = frame.subspan(kTcpAt);
  return pseudo_header_sum(0x0A000001, 0x0A000002, kTcp, static_cast<u32>(tcp.size())) + ones_sum(tcp);
}

TEST(Checksum, OfRfc1071sExample) {
  const std::vector<u8> bytes = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
  EXPECT_EQ(ones_sum(bytes), 0xDDF2U);
  EXPECT_EQ(checksum_of(ones_sum(bytes)), 0x220D);
}

TEST(Checksum, AnOddByteIsTheHighHalfOfAWord) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<u8> bytes;
    u64 slow = 0;
    for (std::size_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<u8>(i * 91 + 13));
      slow += i % 2 == 0 ? u64{bytes[i]} << 8U : bytes[i];
    }
    EXPECT_EQ(checksum_of(ones_sum(bytes)), checksum_of(slow)) << size;
  }
}

TEST(Offload, CutsSegmentsThatHoldTheWholeStream) {
  std::vector<u8> frame = large_segment(3500);
  std::vector<u8> stream;
  u16 id = 1000;
  int count = 0;
  ASSERT_TRUE(cut_segments({.gso_type = Offload::kTcp4, .gso_size = 1400}, frame, [&](std::span<u8> piece) {
    const auto ip = Ipv4View::parse(piece.subspan(kIp));
    ASSERT_TRUE(ip.has_value());
    EXPECT_EQ(ip->bytes().size(), piece.size() - kIp);
    EXPECT_EQ(ip->id(), id++);
    EXPECT_EQ(checksum_of(ones_sum(ip->bytes().first(kIpv4Bytes))), 0);
    EXPECT_EQ(checksum_of(sum_of_segment(piece)), 0);
    EXPECT_EQ(load32(piece, kTcpAt + 4), static_cast<u32>(0xFFFF'FF00 + stream.size()));
    const bool last = ++count == 3;
    EXPECT_EQ(piece[kTcpAt + 13], last ? (Transport::kAck | Transport::kFin | 8) : Transport::kAck);
    stream.insert(stream.end(), piece.begin() + kHeaders, piece.end());
  }));
  EXPECT_EQ(count, 3);
  EXPECT_EQ(stream, std::vector<u8>(frame.begin() + kHeaders, frame.end()));
}

TEST(Offload, RefusesToCutWhatIsNoTcp) {
  const auto never = [](std::span<u8>) { FAIL() << "a piece of it"; };
  std::vector<u8> frame = large_segment(3500);
  EXPECT_FALSE(cut_segments({.gso_type = Offload::kTcp4, .gso_size = 0}, frame, never));
  frame[kIp + 9] = kUdp;
  EXPECT_FALSE(cut_segments({.gso_type = Offload::kTcp4, .gso_size = 1400}, frame, never));
  frame = large_segment(3500);
  frame[kTcpAt + 12] = 0xF0;  // a header of 60 bytes is there, one of 4 is not
  EXPECT_TRUE(cut_segments({.gso_type = Offload::kTcp4, .gso_size = 1400}, frame, [](std::span<u8>) {}));
  frame[kTcpAt + 12] = 0x10;
  EXPECT_FALSE(cut_segments({.gso_type = Offload::kTcp4, .gso_size = 1400}, frame, never));
  std::vector<u8> tiny(10);
  EXPECT_FALSE(cut_segments({.gso_type = Offload::kTcp4, .gso_size = 1400}, tiny, never));
}

TEST(Offload, FinishesChecksumsInsideTheFrameOnly) {
  std::vector<u8> frame = large_segment(100);
  store16(frame, kTcpAt + 16, 0x0001);  // stands for the pseudo-header's sum
  Offload offload{.flags = Offload::kNeedsChecksum, .checksum_start = kTcpAt, .checksum_offset = 16};
  const u16 wanted = transport_checksum_of(ones_sum(std::span<const u8>(frame).subspan(kTcpAt)));
  ASSERT_TRUE(finish_checksum(offload, frame));
  EXPECT_EQ(load16(frame, kTcpAt + 16), wanted);
  EXPECT_EQ(offload.flags, Offload::kDataValid);
  Offload outside{.flags = Offload::kNeedsChecksum, .checksum_start = 0xFFFF, .checksum_offset = 0xFFFF};
  EXPECT_FALSE(finish_checksum(outside, frame));
}

}  // namespace
}  // namespace pileus::packet
