#include "packet/ethernet.h"

namespace pileus::packet {
namespace {

constexpr std::size_t kArpBytes = 28;
constexpr u32 kEthernetToIpv4 = 0x0001'0800;  // hardware and protocol type
constexpr u16 kLengths = 0x0604;

}  // namespace

std::optional<Arp> parse_arp(std::span<const u8> payload) {
  if (payload.size() < kArpBytes || load32(payload, 0) != kEthernetToIpv4 || load16(payload, 4) != kLengths) return {};
  Arp arp;
  arp.operation = load16(payload, 6);
  std::ranges::copy(payload.subspan(8, 6), arp.sender_mac.begin());
  arp.sender = load32(payload, 14);
  std::ranges::copy(payload.subspan(18, 6), arp.target_mac.begin());
  arp.target = load32(payload, 24);
  return arp;
}

std::vector<u8> build_arp(const MacAddress& destination, const Arp& arp) {
  std::vector<u8> frame(kEthernetBytes + kArpBytes);
  std::ranges::copy(destination, frame.begin());
  std::ranges::copy(arp.sender_mac, frame.begin() + 6);
  store16(frame, 12, kEtherArp);
  const std::span<u8> payload = std::span(frame).subspan(kEthernetBytes);
  store32(payload, 0, kEthernetToIpv4);
  store16(payload, 4, kLengths);
  store16(payload, 6, arp.operation);
  std::ranges::copy(arp.sender_mac, payload.begin() + 8);
  store32(payload, 14, arp.sender);
  std::ranges::copy(arp.target_mac, payload.begin() + 18);
  store32(payload, 24, arp.target);
  return frame;
}

}  // namespace pileus::packet
