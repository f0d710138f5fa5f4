// DNS (RFC 1035), as far as a server of a few IPv4 addresses needs it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "packet/bytes.h"

namespace pileus::packet {

inline constexpr u16 kDnsPort = 53;

struct DnsQuestion {
  static constexpr u16 kA = 1;
  u16 id = 0;
  bool recursion = false;
  std::string name;  // lower case, without the last dot: "ip-10-0-0-1.internal"
  u16 type = 0;
  std::vector<u8> question;  // as it was asked
};
// A query with exactly one question of class IN; nothing for anything else.
std::optional<DnsQuestion> parse_dns(std::span<const u8> message);

// The answer: the address, or with none that the name has no record of that type.
std::vector<u8> build_dns(const DnsQuestion& question, std::optional<Ipv4Address> address, u32 ttl_s);

}  // namespace pileus::packet
