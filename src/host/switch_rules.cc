#include "host/switch_rules.h"

#include <charconv>

#include "packet/ipv4.h"

namespace pileus::host {
namespace {

Error unreadable(const std::string& text) {
  return {ErrorCode::kCorrupt, "the cloud's record of a network has '" + text + "', which cannot be read"};
}

template <typename T>
Result<T> known(const std::optional<T>& value, const std::string& text) {
  if (!value) return unreadable(text);
  return *value;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<int> protocol_of(const std::string& name) {
  if (name == "-1") return vswitch::Rule::kAllProtocols;
  if (name == "tcp") return packet::kTcp;
  if (name == "udp") return packet::kUdp;
  if (name == "icmp") return packet::kIcmp;
  return number(name);
}

}  // namespace

Result<vswitch::Port> switch_port(const control::NetworkPort& port) {
  vswitch::Port result;
  result.id = port.interface.text();
  result.network = port.network;
  result.mac = TRY(known(packet::parse_mac(port.mac), port.mac));
  result.address = TRY(known(packet::parse_ipv4(port.address), port.address));
  result.subnet = TRY(known(packet::parse_cidr(port.subnet), port.subnet));
  for (const model::SecurityGroupId group : port.groups) result.groups.push_back(group.text());
  result.check_source = port.check_source;
  for (const std::string& each : port.more_addresses) {
    result.more_addresses.push_back(TRY(known(packet::parse_ipv4(each), each)));
  }
  return result;
}

Result<vswitch::Group> switch_group(const control::NetworkGroup& group) {
  vswitch::Group result;
  for (const model::SecurityGroupRule& each : group.record.rules) {
    if (each.cidr.empty() && !each.peer) continue;  // IPv6, which these networks do not have
    vswitch::Rule rule;
    rule.egress = each.egress;
    rule.protocol = TRY(known(protocol_of(each.protocol), each.protocol));
    rule.from_port = each.from_port;
    rule.to_port = each.to_port;
    if (each.peer) rule.peer_group = each.peer.text();
    else rule.cidr = TRY(known(packet::parse_cidr(each.cidr), each.cidr));
    result.rules.push_back(std::move(rule));
  }
  for (const std::string& member : group.members) {
    result.members.push_back(TRY(known(packet::parse_ipv4(member), member)));
  }
  return result;
}

std::optional<vswitch::Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const auto address = packet::parse_ipv4(text.substr(0, colon));
  const auto port = number(text.substr(colon + 1));
  constexpr int kHighest = 65535;
  if (!address || !port || *port < 1 || *port > kHighest) return {};
  return vswitch::Endpoint{.address = *address, .port = static_cast<u16>(*port)};
}

Result<vswitch::Remote> switch_remote(const control::RemoteGuest& guest) {
  vswitch::Remote remote;
  remote.network = guest.network;
  remote.mac = TRY(known(packet::parse_mac(guest.mac), guest.mac));
  remote.address = TRY(known(packet::parse_ipv4(guest.address), guest.address));
  remote.host = TRY(known(parse_endpoint(guest.host), guest.host));
  return remote;
}

}  // namespace pileus::host
