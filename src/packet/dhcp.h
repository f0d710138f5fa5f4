// DHCP (RFC 2131 and 2132), a server's side.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "packet/bytes.h"

namespace pileus::packet {

inline constexpr u16 kDhcpServerPort = 67;
inline constexpr u16 kDhcpClientPort = 68;

struct DhcpRequest {
  enum class Kind : u8 { kDiscover = 1, kRequest = 3, kDecline = 4, kRelease = 7, kInform = 8 };
  Kind kind = Kind::kDiscover;
  u32 transaction = 0;
  bool broadcast = false;          // the client cannot take a unicast answer yet
  Ipv4Address client = 0;          // ciaddr: what it has
  MacAddress mac = {};             // chaddr
  Ipv4Address requested = 0;       // option 50; 0: none
  Ipv4Address server = 0;          // option 54; 0: none
};
// Of a UDP payload; nothing for what is no request of an Ethernet client.
std::optional<DhcpRequest> parse_dhcp(std::span<const u8> payload);

struct DhcpAnswer {
  enum class Kind : u8 { kOffer = 2, kAck = 5, kNak = 6 };
  Kind kind = Kind::kAck;
  Ipv4Address server = 0;
  Ipv4Address client = 0;
  Ipv4Address mask = 0;
  Ipv4Address router = 0;
  std::vector<Ipv4Address> name_servers;
  std::string host_name;
  std::string domain;
  u16 mtu = 1500;
  u32 lease_s = 3600;
};
// The UDP payload.
std::vector<u8> build_dhcp(const DhcpRequest& request, const DhcpAnswer& answer);

}  // namespace pileus::packet
