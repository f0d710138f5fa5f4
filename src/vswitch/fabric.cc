#include "vswitch/fabric.h"

#include <algorithm>

#include "packet/dns.h"
#include "packet/ipv4.h"
#include "vswitch/names.h"

namespace pileus::vswitch {
namespace {

using packet::Arp;
using packet::EthernetView;
using packet::Ipv4View;
using packet::Offload;
using packet::Transport;
constexpr u32 kLease_s = 3600;

// All that a port's rules come from, to be compared.
std::string rules_text(const Config& config, const Port& port) {
  Config of_port;
  for (const std::string& name : port.groups) {
    const auto group = config.groups.find(name);
    if (group == config.groups.end()) continue;
    of_port.groups[name] = group->second;
    for (const Rule& rule : group->second.rules) {
      const auto peer = config.groups.find(rule.peer_group);
      if (peer != config.groups.end()) of_port.groups[peer->first] = peer->second;
    }
  }
  return encode(of_port);
}

bool is_link_local(Ipv4Address address) { return address >> 16U == kLinkLocal >> 16U; }
bool is_multicast(Ipv4Address address) { return address >> 28U >= 0xE; }

}  // namespace

void Fabric::apply(Config config) {
  config_ = std::move(config);
  std::erase_if(plugs_, [this](const auto& each) { return !config_.ports.contains(each.first); });
  targets_.clear();
  for (const auto& [id, port] : config_.ports) {
    std::unique_ptr<Plug>& plug = plugs_[id];
    if (!plug) plug = std::make_unique<Plug>();
    const bool other_address = plug->port.address != port.address || plug->port.network != port.network;
    plug->port = port;
    std::string rules = rules_text(config_, port);
    if (other_address || rules != plug->rules_of) {
      plug->access.set_rules(RuleSet(config_, port.groups));
      plug->rules_of = std::move(rules);
    }
    targets_[place(port.network, port.address)] = {.plug = plug.get()};
    for (const Ipv4Address each : port.more_addresses) targets_[place(port.network, each)] = {.plug = plug.get()};
  }
  for (const Remote& remote : config_.remotes) targets_[place(remote.network, remote.address)] = {.remote = &remote};
}

PortCounters Fabric::counters(const std::string& port) const {
  const auto found = plugs_.find(port);
  return found == plugs_.end() ? PortCounters() : found->second->counters;
}

const Fabric::Target* Fabric::find(u32 network, Ipv4Address address) const {
  const auto found = targets_.find(place(network, address));
  return found == targets_.end() ? nullptr : &found->second;
}

bool Fabric::is_inside(u32 network, Ipv4Address address) const {
  const auto found = config_.networks.find(network);
  return found != config_.networks.end() &&
         std::ranges::any_of(found->second, [&](const Cidr& block) { return block.contains(address); });
}

void Fabric::from_port(const std::string& id, Offload offload, std::span<u8> frame, Time now) {
  const auto found = plugs_.find(id);
  if (found == plugs_.end()) return;
  Plug& plug = *found->second;
  const std::optional<EthernetView> ethernet = EthernetView::parse(frame);
  if (!ethernet) {
    ++plug.counters.malformed;
    return;
  }
  if (ethernet->source() != plug.port.mac) {
    ++plug.counters.spoofed;
    return;
  }
  ++plug.counters.from_guest;
  plug.counters.bytes_from_guest += frame.size();
  if (ethernet->type() == packet::kEtherArp) return take_arp(plug, ethernet->payload());
  if (ethernet->type() == packet::kEtherIpv4) return take_ipv4(plug, offload, frame, now);
  ++plug.counters.malformed;
}

// Whoever is asked for, the switch answers; the router has every address that is not a guest's.
void Fabric::take_arp(Plug& plug, std::span<const u8> payload) {
  const std::optional<Arp> arp = packet::parse_arp(payload);
  if (!arp) {
    ++plug.counters.malformed;
    return;
  }
  const Port& port = plug.port;
  const bool own = port.has(arp->sender) || arp->sender == 0;  // 0: a probe whether the address is free
  if (arp->sender_mac != port.mac || (port.check_source && !own)) {
    ++plug.counters.spoofed;
    return;
  }
  if (arp->operation != Arp::kRequest || port.has(arp->target)) return;
  const Target* target = find(port.network, arp->target);
  const bool router = arp->target == port.router() || is_link_local(arp->target);
  if (target == nullptr && !router) return;
  const MacAddress& mac = router ? kRouterMac : target->mac();
  const std::vector<u8> answer = packet::build_arp(port.mac, {.operation = Arp::kReply,
                                                              .sender_mac = mac,
                                                              .sender = arp->target,
                                                              .target_mac = port.mac,
                                                              .target = arp->sender});
  deliver(plug, {}, answer);
}

void Fabric::take_ipv4(Plug& plug, Offload offload, std::span<u8> frame, Time now) {
  EthernetView ethernet = *EthernetView::parse(frame);
  const std::optional<Ipv4View> ip = Ipv4View::parse(ethernet.payload());
  if (!ip) {
    ++plug.counters.malformed;
    return;
  }
  if (serve_itself(plug, *ip)) return;
  const Port& port = plug.port;
  if (port.check_source && !port.has(ip->source())) {
    ++plug.counters.spoofed;
    return;
  }
  if (is_multicast(ip->destination())) return;  // and broadcast: there is none in these networks
  // The metadata and name servers are there whatever the rules say, as in EC2.
  const bool service = ip->destination() == kMetadataServer || ip->destination() == kNameServer;
  if (!plug.access.admits(*ip, true, service, now)) {
    ++plug.counters.refused;
    return;
  }
  if (ip->destination() == kMetadataServer) note_token_request(plug, *ip);
  const Target* target = find(port.network, ip->destination());
  if (target == nullptr) {
    if (is_inside(port.network, ip->destination())) {
      ++plug.counters.unknown;
      return;
    }
    return send_out(plug, offload, frame.first(packet::kEthernetBytes + ip->bytes().size()));
  }
  // Between subnets the router forwards; within one, the guest knows the MAC address already.
  if (ethernet.destination() == kRouterMac) ethernet.set_source(kRouterMac);
  ethernet.set_destination(target->mac());
  if (target->remote != nullptr) return send_tunnel(plug, *target->remote, offload, frame);
  Plug& other = *target->plug;
  if (!other.access.admits(*ip, false, false, now)) {
    ++other.counters.refused;
    return;
  }
  deliver(other, offload, frame);
}

// The answer to a request for a token goes only as many hops as the port allows, so that a guest which routes for others
// does not hand them its credentials unknowingly. Such a request is a PUT; its connection is known by the guest's port.
void Fabric::note_token_request(Plug& plug, const Ipv4View& ip) {
  const std::optional<Transport> transport = packet::parse_transport(ip.protocol(), ip.payload());
  if (!transport || transport->protocol != packet::kTcp) return;
  if ((transport->tcp_flags & Transport::kSyn) != 0) plug.token_connections.erase(transport->source_port);
  const std::span<const u8> segment = ip.payload();
  const std::size_t header = (segment[12] >> 4U) * std::size_t{4};
  constexpr std::string_view kPut = "PUT ";
  if (segment.size() < header + kPut.size()) return;
  const bool put = std::ranges::equal(segment.subspan(header, kPut.size()), kPut,
                                      [](u8 byte, char c) { return byte == static_cast<u8>(c); });
  if (put) plug.token_connections.insert(transport->source_port);
}

bool Fabric::is_token_answer(const Plug& plug, const Ipv4View& ip) {
  const std::optional<Transport> transport = packet::parse_transport(ip.protocol(), ip.payload());
  return transport && plug.token_connections.contains(transport->destination_port);
}

// DHCP and names of guests, which are answered here.
bool Fabric::serve_itself(Plug& plug, const Ipv4View& ip) {
  if (ip.protocol() != packet::kUdp || ip.fragment_offset() != 0 || ip.more_fragments()) return false;
  const std::optional<Transport> transport = packet::parse_transport(ip.protocol(), ip.payload());
  if (!transport) return false;
  if (transport->destination_port == packet::kDhcpServerPort && transport->source_port == packet::kDhcpClientPort) {
    const auto request = packet::parse_dhcp(ip.payload().subspan(packet::kUdpBytes));
    if (request && request->mac == plug.port.mac) answer_dhcp(plug, *request);
    else ++plug.counters.malformed;
    return true;
  }
  if (transport->destination_port != packet::kDnsPort || ip.destination() != kNameServer) return false;
  return (!plug.port.check_source || plug.port.has(ip.source())) && answer_dns(plug, ip, transport->source_port);
}

void Fabric::answer_dhcp(Plug& plug, const packet::DhcpRequest& request) {
  using Kind = packet::DhcpRequest::Kind;
  if (request.kind == Kind::kDecline || request.kind == Kind::kRelease) return;  // the address is its own for life
  const Port& port = plug.port;
  if (request.kind == Kind::kRequest && request.server != 0 && request.server != port.router()) return;
  const Ipv4Address wanted = request.requested != 0 ? request.requested : request.client;
  const bool refused = request.kind == Kind::kRequest && wanted != port.address;
  packet::DhcpAnswer answer;
  answer.kind = request.kind == Kind::kDiscover ? packet::DhcpAnswer::Kind::kOffer : packet::DhcpAnswer::Kind::kAck;
  if (refused) answer.kind = packet::DhcpAnswer::Kind::kNak;
  answer.server = port.router();
  answer.client = port.address;
  answer.mask = port.subnet.mask();
  answer.router = port.router();
  answer.name_servers = {kNameServer};
  answer.host_name = port.host_name;
  answer.domain = config_.domain;
  answer.mtu = config_.mtu;
  answer.lease_s = kLease_s;
  constexpr Ipv4Address kEverybody = 0xFFFF'FFFF;
  const packet::Udp udp{.source_mac = kRouterMac,
                        .destination_mac = request.broadcast ? packet::kBroadcast : port.mac,
                        .source = port.router(),
                        .destination = request.broadcast || refused ? kEverybody : port.address,
                        .source_port = packet::kDhcpServerPort,
                        .destination_port = packet::kDhcpClientPort};
  deliver(plug, {}, packet::build_udp(udp, packet::build_dhcp(request, answer)));
}

// False: not a name of ours; the host's resolver may know.
bool Fabric::answer_dns(Plug& plug, const Ipv4View& ip, u16 client_port) {
  const auto question = packet::parse_dns(ip.payload().subspan(packet::kUdpBytes));
  if (!question) return false;
  const NameAnswer name = look_up(config_, plug.port.network, question->name);
  if (!name.ours) return false;
  const std::optional<Ipv4Address> address =
      question->type == packet::DnsQuestion::kA ? name.address : std::optional<Ipv4Address>();
  const packet::Udp udp{.source_mac = kRouterMac,
                        .destination_mac = plug.port.mac,
                        .source = kNameServer,
                        .destination = ip.source(),
                        .source_port = packet::kDnsPort,
                        .destination_port = client_port};
  constexpr u32 kTtl_s = 10;
  deliver(plug, {}, packet::build_udp(udp, packet::build_dns(*question, address, kTtl_s)));
  return true;
}

void Fabric::send_out(Plug& plug, Offload offload, std::span<u8> frame) {
  if (packet::finish_checksum(offload, frame)) output_.to_nat(plug.port.id, frame);
  else ++plug.counters.malformed;
}

void Fabric::send_tunnel(Plug& plug, const Remote& remote, Offload offload, std::span<u8> frame) {
  const auto send = [&](std::span<const u8> piece) { output_.to_tunnel(remote.host, remote.network, piece); };
  const bool whole = offload.gso_type == Offload::kNoSegments;
  if (whole ? !packet::finish_checksum(offload, frame) : !packet::cut_segments(offload, frame, send)) {
    ++plug.counters.malformed;
    return;
  }
  if (whole) send(frame);
}

// What libslirp gives: answers, and connections from mapped ports of the host.
void Fabric::from_nat(const std::string& id, std::span<u8> frame, Time now) {
  const auto found = plugs_.find(id);
  std::optional<EthernetView> ethernet = EthernetView::parse(frame);
  if (found == plugs_.end() || !ethernet || ethernet->type() != packet::kEtherIpv4) return;
  Plug& plug = *found->second;
  std::optional<Ipv4View> ip = Ipv4View::parse(ethernet->payload());
  if (!ip || !plug.port.has(ip->destination())) return;
  bool granted = false;
  if (ip->source() == kHostBehind && ip->fragment_offset() == 0) {
    const std::optional<Transport> transport = packet::parse_transport(ip->protocol(), ip->payload());
    granted = transport && transport->protocol == packet::kTcp &&
              std::ranges::any_of(plug.port.mappings,
                                  [&](const Mapping& each) { return each.guest_port == transport->destination_port; });
  }
  if (!plug.access.admits(*ip, false, granted, now)) {
    ++plug.counters.refused;
    return;
  }
  if (ip->source() == kMetadataServer && is_token_answer(plug, *ip)) {
    ip->set_time_to_live(plug.port.metadata.hop_limit);
  }
  ethernet->set_source(kRouterMac);
  ethernet->set_destination(plug.port.mac);
  deliver(plug, {.flags = Offload::kDataValid}, frame);
}

void Fabric::from_tunnel(const Endpoint& host, u32 network, std::span<u8> frame, Time now) {
  std::optional<EthernetView> ethernet = EthernetView::parse(frame);
  if (!ethernet || ethernet->type() != packet::kEtherIpv4) return;
  const std::optional<Ipv4View> ip = Ipv4View::parse(ethernet->payload());
  if (!ip) return;
  // Only the host that has a guest speaks for it.
  const Target* source = find(network, ip->source());
  const Target* target = find(network, ip->destination());
  if (source == nullptr || source->remote == nullptr || source->remote->host != host) return;
  if (target == nullptr || target->plug == nullptr) return;
  Plug& plug = *target->plug;
  if (!plug.access.admits(*ip, false, false, now)) {
    ++plug.counters.refused;
    return;
  }
  ethernet->set_destination(plug.port.mac);
  deliver(plug, {}, frame);  // the guest checks what came over a network
}

void Fabric::deliver(Plug& plug, const Offload& offload, std::span<const u8> frame) {
  ++plug.counters.to_guest;
  plug.counters.bytes_to_guest += frame.size();
  output_.to_port(plug.port.id, offload, frame);
}

}  // namespace pileus::vswitch
