#include "packet/ipv4.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/ethernet.h"

namespace pileus::packet {
namespace {

constexpr u8 kTimeToLive = 64;

void fill_header_checksum(std::span<u8> header) {
  store16(header, 10, 0);
  store16(header, 10, checksum_of(ones_sum(header)));
}

}  // namespace

std::optional<Ipv4View> Ipv4View::parse(std::span<u8> bytes) {
  if (bytes.size() < kIpv4Bytes || bytes[0] >> 4U != 4) return {};
  const std::size_t header = (bytes[0] & 15U) * std::size_t{4};
  const std::size_t total = load16(bytes, 2);
  if (header < kIpv4Bytes || total < header || total > bytes.size()) return {};
  return Ipv4View(bytes.first(total));
}

void Ipv4View::set_time_to_live(u8 value) {
  bytes_[8] = value;
  fill_header_checksum(bytes_.first(header_bytes()));
}

std::optional<Transport> parse_transport(u8 protocol, std::span<const u8> payload) {
  Transport transport;
  transport.protocol = protocol;
  switch (protocol) {
    case kTcp:
      if (payload.size() < kTcpBytes) return {};
      transport.tcp_flags = payload[13];
      break;
    case kUdp:
      if (payload.size() < kUdpBytes) return {};
      break;
    case kIcmp:
      if (payload.size() < kIcmpBytes) return {};
      transport.icmp_type = payload[0];
      transport.icmp_code = payload[1];
      transport.source_port = transport.destination_port = load16(payload, 4);
      return transport;
    default: return transport;
  }
  transport.source_port = load16(payload, 0);
  transport.destination_port = load16(payload, 2);
  return transport;
}

// RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem.
bool is_icmp_error(u8 type) { return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; }

std::vector<u8> build_udp(const Udp& udp, std::span<const u8> payload) {
  const std::size_t length = kUdpBytes + payload.size();
  std::vector<u8> frame(kEthernetBytes + kIpv4Bytes + length);
  std::ranges::copy(udp.destination_mac, frame.begin());
  std::ranges::copy(udp.source_mac, frame.begin() + 6);
  store16(frame, 12, kEtherIpv4);
  const std::span<u8> ip = std::span(frame).subspan(kEthernetBytes);
  ip[0] = 0x45;
  store16(ip, 2, static_cast<u16>(kIpv4Bytes + length));
  ip[8] = kTimeToLive;
  ip[9] = kUdp;
  store32(ip, 12, udp.source);
  store32(ip, 16, udp.destination);
  fill_header_checksum(ip.first(kIpv4Bytes));
  const std::span<u8> datagram = ip.subspan(kIpv4Bytes);
  store16(datagram, 0, udp.source_port);
  store16(datagram, 2, udp.destination_port);
  store16(datagram, 4, static_cast<u16>(length));
  std::ranges::copy(payload, datagram.begin() + kUdpBytes);
  const u64 pseudo = pseudo_header_sum(udp.source, udp.destination, kUdp, static_cast<u32>(length));
  store16(datagram, 6, transport_checksum_of(pseudo + ones_sum(datagram)));
  return frame;
}

}  // namespace pileus::packet
