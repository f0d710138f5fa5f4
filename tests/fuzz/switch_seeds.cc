// Seeds for the virtual switch: what guests send when they start.
#include "packet/ethernet.h"
#include "packet/ipv4.h"
#include "packet/offload.h"
#include "seeds.h"
#include "vswitch/config.h"

namespace pileus::fuzz {
namespace {

constexpr packet::MacAddress kGuest = {2, 0, 0, 0, 0, 5};
constexpr packet::Ipv4Address kGuestAddress = 0xAC1F'0005;

void append(Bytes& out, const Bytes& more) {
  for (const auto byte : more) out.push_back(byte);
}

Bytes dhcp_discover() {
  Bytes message(240);
  message[0] = message[1] = 1;
  message[2] = 6;
  message[28] = 2;
  message[33] = 5;
  append(message, {53, 1, 1, 12, 1, 'a', 50, 4, 172, 31, 0, 5, 255});
  message[236] = 0x63;
  message[237] = 0x82;
  message[238] = 0x53;
  message[239] = 0x63;
  return message;
}

Bytes dns_query() {
  Bytes query = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'b', 8, 'i', 'n', 't', 'e', 'r', 'n', 'a', 'l', 0, 0, 1, 0, 1};
  return query;
}

Bytes udp(packet::Ipv4Address source, packet::Ipv4Address destination, u16 port, const Bytes& payload) {
  return packet::build_udp({.source_mac = kGuest,
                            .destination_mac = packet::kBroadcast,
                            .source = source,
                            .destination = destination,
                            .source_port = static_cast<u16>(port == 67 ? 68 : 40'000),
                            .destination_port = port},
                           payload);
}

Bytes tcp_segment() {
  Bytes frame = udp(kGuestAddress, 0xAC1F'0006, 80, Bytes(60));
  frame[packet::kEthernetBytes + 9] = packet::kTcp;
  frame[packet::kEthernetBytes + packet::kIpv4Bytes + 12] = 0x50;
  frame[packet::kEthernetBytes + packet::kIpv4Bytes + 13] = 2;
  return frame;
}

void add_frame(Bytes& out, u8 who, const Bytes& frame) {
  append(out, {who, static_cast<u8>(frame.size() >> 8U), static_cast<u8>(frame.size())});
  append(out, Bytes(sizeof(packet::Offload)));
  append(out, frame);
}

}  // namespace

std::vector<Bytes> dhcp_seeds() { return {dhcp_discover()}; }
std::vector<Bytes> dns_seeds() { return {dns_query()}; }

std::vector<Bytes> segment_seeds() {
  Bytes input = {1, 1, 54, 0, 8, 0, 34, 0, 16, 0};  // TCP in IPv4, 8 bytes a segment, its checksum to be made
  append(input, tcp_segment());
  return {input};
}

std::vector<Bytes> switch_frame_seeds() {
  Bytes start;
  add_frame(start, 0, udp(0, 0xFFFF'FFFF, 67, dhcp_discover()));
  add_frame(
      start, 0,
      packet::build_arp(packet::kBroadcast, {.sender_mac = kGuest, .sender = kGuestAddress, .target = 0xAC1F'0001}));
  add_frame(start, 0, udp(kGuestAddress, 0xA9FE'A9FD, 53, dns_query()));
  add_frame(start, 0, tcp_segment());
  add_frame(start, 0, udp(kGuestAddress, 0x0808'0808, 123, Bytes(48)));
  add_frame(start, 3, tcp_segment());
  return {start};
}

std::vector<Bytes> switch_config_seeds() {
  vswitch::Config config;
  config.networks[7] = {*packet::parse_cidr("172.31.0.0/16")};
  vswitch::Port port;
  port.id = "eni-1";
  port.network = 7;
  port.address = kGuestAddress;
  port.subnet = *packet::parse_cidr("172.31.0.0/20");
  port.groups = {"sg-1"};
  port.mappings = {{.host_address = "127.77.0.5", .host_port = 22, .guest_port = 22}};
  port.metadata.entries = {{"meta-data/instance-id", "i-1"}};
  config.ports["eni-1"] = port;
  config.groups["sg-1"] = {.rules = {vswitch::Rule{}}, .members = {kGuestAddress}};
  config.remotes = {{.network = 7, .mac = kGuest, .address = 0xAC1F'0007, .host = {.address = 1, .port = 4789}}};
  config.tunnel = vswitch::Endpoint{.address = 2, .port = 4789};
  const std::string text = vswitch::encode(config);
  return {Bytes(text.begin(), text.end())};
}

}  // namespace pileus::fuzz
