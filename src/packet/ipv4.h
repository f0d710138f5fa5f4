// IPv4 packets (RFC 791) and what is in them: UDP, TCP and ICMP as far as a switch looks.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "packet/bytes.h"

namespace pileus::packet {

inline constexpr u8 kIcmp = 1;
inline constexpr u8 kTcp = 6;
inline constexpr u8 kUdp = 17;
inline constexpr std::size_t kIpv4Bytes = 20;  // of a header without options
inline constexpr std::size_t kUdpBytes = 8;
inline constexpr std::size_t kTcpBytes = 20;  // of a header without options

// A packet whose header is whole and whose lengths are within its bytes.
class Ipv4View {
 public:
  // `bytes` may be longer than the packet: Ethernet pads short frames.
  static std::optional<Ipv4View> parse(std::span<u8> bytes);

  std::size_t header_bytes() const { return (bytes_[0] & 15U) * std::size_t{4}; }
  u8 time_to_live() const { return bytes_[8]; }
  u8 protocol() const { return bytes_[9]; }
  Ipv4Address source() const { return load32(bytes_, 12); }
  Ipv4Address destination() const { return load32(bytes_, 16); }
  u16 id() const { return load16(bytes_, 4); }
  u16 fragment_offset() const { return load16(bytes_, 6) & 0x1FFFU; }  // in units of 8 bytes
  bool more_fragments() const { return (load16(bytes_, 6) & 0x2000U) != 0; }
  std::span<u8> bytes() const { return bytes_; }
  std::span<u8> payload() const { return bytes_.subspan(header_bytes()); }

  // Keeps the header's checksum right.
  void set_time_to_live(u8 value);

 private:
  explicit Ipv4View(std::span<u8> bytes) : bytes_(bytes) {}

  std::span<u8> bytes_;
};

// What tells one conversation from another. ICMP: the query's id is `source_port` and `destination_port`.
struct Transport {
  static constexpr u8 kFin = 1;
  static constexpr u8 kSyn = 2;
  static constexpr u8 kRst = 4;
  static constexpr u8 kAck = 16;
  u8 protocol = 0;
  u16 source_port = 0;
  u16 destination_port = 0;
  u8 tcp_flags = 0;
  u8 icmp_type = 0;
  u8 icmp_code = 0;
};

// Of a packet that is not a later fragment; nothing when its header is cut off.
std::optional<Transport> parse_transport(u8 protocol, std::span<const u8> payload);

inline constexpr u8 kEchoReply = 0;
inline constexpr u8 kEchoRequest = 8;
// Whether the ICMP message is about another packet, which it quotes from its ninth byte on.
bool is_icmp_error(u8 type);
inline constexpr std::size_t kIcmpBytes = 8;

struct Udp {
  MacAddress source_mac = {};
  MacAddress destination_mac = {};
  Ipv4Address source = 0;
  Ipv4Address destination = 0;
  u16 source_port = 0;
  u16 destination_port = 0;
};
// The whole frame. `payload`: at most 1400 bytes.
std::vector<u8> build_udp(const Udp& udp, std::span<const u8> payload);

}  // namespace pileus::packet
