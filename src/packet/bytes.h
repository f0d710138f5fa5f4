// Numbers in network byte order, and addresses as text. Offsets are the caller's to check.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace pileus::packet {

inline u16 load16(std::span<const u8> bytes, std::size_t at) {
  return static_cast<u16>(u32{bytes[at]} << 8U | bytes[at + 1]);
}
inline u32 load32(std::span<const u8> bytes, std::size_t at) {
  return u32{load16(bytes, at)} << 16U | load16(bytes, at + 2);
}
inline void store16(std::span<u8> bytes, std::size_t at, u16 value) {
  bytes[at] = static_cast<u8>(value >> 8U);
  bytes[at + 1] = static_cast<u8>(value);
}
inline void store32(std::span<u8> bytes, std::size_t at, u32 value) {
  store16(bytes, at, static_cast<u16>(value >> 16U));
  store16(bytes, at + 2, static_cast<u16>(value));
}

using MacAddress = std::array<u8, 6>;
inline constexpr MacAddress kBroadcast = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

// An IPv4 address as a number: 10.0.0.1 is 0x0A000001.
using Ipv4Address = u32;

// "10.0.0.1"
std::optional<Ipv4Address> parse_ipv4(std::string_view text);
std::string ipv4_text(Ipv4Address address);
// "02:00:00:00:00:01"
std::optional<MacAddress> parse_mac(std::string_view text);
std::string mac_text(const MacAddress& mac);

// A block of addresses, "10.0.0.0/8".
struct Cidr {
  Ipv4Address address = 0;  // its host part is zero
  u8 prefix = 0;

  Ipv4Address mask() const { return prefix == 0 ? 0 : ~Ipv4Address{0} << (32U - prefix); }
  bool contains(Ipv4Address other) const { return (other & mask()) == address; }
  bool operator==(const Cidr&) const = default;
};
// Clears a host part that is not zero, as EC2 does.
std::optional<Cidr> parse_cidr(std::string_view text);
std::string cidr_text(const Cidr& cidr);

}  // namespace pileus::packet
