// Ethernet frames without their check sequence, and ARP for IPv4 in them (RFC 826).
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "packet/bytes.h"

namespace pileus::packet {

inline constexpr std::size_t kEthernetBytes = 14;
inline constexpr u16 kEtherIpv4 = 0x0800;
inline constexpr u16 kEtherArp = 0x0806;

// A frame that has at least its header.
class EthernetView {
 public:
  static std::optional<EthernetView> parse(std::span<u8> frame) {
    if (frame.size() < kEthernetBytes) return {};
    return EthernetView(frame);
  }

  MacAddress destination() const { return mac(0); }
  MacAddress source() const { return mac(6); }
  u16 type() const { return load16(frame_, 12); }
  std::span<u8> payload() const { return frame_.subspan(kEthernetBytes); }
  void set_destination(const MacAddress& value) { std::ranges::copy(value, frame_.begin()); }
  void set_source(const MacAddress& value) { std::ranges::copy(value, frame_.begin() + 6); }

 private:
  explicit EthernetView(std::span<u8> frame) : frame_(frame) {}
  MacAddress mac(std::size_t at) const {
    MacAddress result;
    std::ranges::copy(frame_.subspan(at, result.size()), result.begin());
    return result;
  }

  std::span<u8> frame_;
};

struct Arp {
  static constexpr u16 kRequest = 1;
  static constexpr u16 kReply = 2;
  u16 operation = kRequest;
  MacAddress sender_mac = {};
  Ipv4Address sender = 0;
  MacAddress target_mac = {};
  Ipv4Address target = 0;
};

// Of a frame's payload; nothing for anything but ARP between Ethernet and IPv4.
std::optional<Arp> parse_arp(std::span<const u8> payload);
// The whole frame.
std::vector<u8> build_arp(const MacAddress& destination, const Arp& arp);

}  // namespace pileus::packet
