#include "vswitch/access.h"

#include <algorithm>

namespace pileus::vswitch {
namespace {

using packet::Ipv4View;
using packet::Transport;
constexpr std::chrono::seconds kFragmentPatience{15};

Flow flow_of(const Ipv4View& ip, const Transport& transport, bool outbound) {
  Flow flow{.local = ip.source(),
            .remote = ip.destination(),
            .local_port = transport.source_port,
            .remote_port = transport.destination_port,
            .protocol = transport.protocol};
  if (!outbound) {
    std::swap(flow.local, flow.remote);
    std::swap(flow.local_port, flow.remote_port);
  }
  return flow;
}

bool in_range(int value, int from, int to) { return from < 0 || (value >= from && (to < 0 || value <= to)); }

// ICMP's "ports" are a type and a code.
bool fits(const Rule& rule, const Transport& transport) {
  if (rule.protocol == Rule::kAllProtocols) return true;
  if (transport.protocol == packet::kIcmp) {
    return (rule.from_port < 0 || rule.from_port == transport.icmp_type) &&
           (rule.to_port < 0 || rule.to_port == transport.icmp_code);
  }
  if (transport.protocol != packet::kTcp && transport.protocol != packet::kUdp) return true;
  return in_range(transport.destination_port, rule.from_port, rule.to_port);
}

}  // namespace

RuleSet::RuleSet(const Config& config, const std::vector<std::string>& groups) {
  for (const std::string& name : groups) {
    const auto group = config.groups.find(name);
    if (group == config.groups.end()) continue;
    for (const Rule& rule : group->second.rules) {
      Compiled compiled{.rule = rule, .peers = {}};
      const auto peer = config.groups.find(rule.peer_group);
      if (!rule.peer_group.empty() && peer != config.groups.end()) {
        compiled.peers.insert(peer->second.members.begin(), peer->second.members.end());
      }
      rules_.push_back(std::move(compiled));
    }
  }
}

bool RuleSet::matches(const Compiled& each, bool egress, Ipv4Address remote, u8 protocol) {
  if (each.rule.egress != egress) return false;
  if (each.rule.protocol != Rule::kAllProtocols && each.rule.protocol != protocol) return false;
  return each.rule.peer_group.empty() ? each.rule.cidr.contains(remote) : each.peers.contains(remote);
}

bool RuleSet::allows(bool egress, Ipv4Address remote, const Transport& transport) const {
  return std::ranges::any_of(rules_, [&](const Compiled& each) {
    return matches(each, egress, remote, transport.protocol) && fits(each.rule, transport);
  });
}

bool RuleSet::allows_all_ports(bool egress, Ipv4Address remote, u8 protocol) const {
  return std::ranges::any_of(rules_, [&](const Compiled& each) {
    const bool all = each.rule.protocol == Rule::kAllProtocols || each.rule.from_port < 0;
    return all && matches(each, egress, remote, protocol);
  });
}

// Conversations that are still allowed are found again with their next packet in the allowed direction.
void Access::set_rules(RuleSet rules) {
  rules_ = std::move(rules);
  flows_.clear();
}

bool Access::admits(const Ipv4View& ip, bool outbound, bool granted, Time now) {
  if (ip.fragment_offset() != 0) return admits_fragment(ip, outbound, now);
  const std::optional<Transport> transport = packet::parse_transport(ip.protocol(), ip.payload());
  if (!transport) return false;
  if (transport->protocol == packet::kIcmp && packet::is_icmp_error(transport->icmp_type)) {
    return admits_error(ip, outbound, now);
  }
  const Flow flow = flow_of(ip, *transport, outbound);
  if (!flows_.touch(flow, outbound, transport->tcp_flags, now)) {
    const bool answer = transport->protocol == packet::kIcmp && transport->icmp_type == packet::kEchoReply;
    const bool allowed = granted || (!answer && rules_.allows(outbound, flow.remote, *transport));
    if (!allowed || !flows_.add(flow, outbound, transport->tcp_flags, now)) return false;
  }
  if (ip.more_fragments()) {
    fragments_[next_fragment_++ % fragments_.size()] = {
        .source = ip.source(), .destination = ip.destination(), .id = ip.id(), .protocol = ip.protocol(), .seen = now};
  }
  return true;
}

bool Access::admits_fragment(const Ipv4View& ip, bool outbound, Time now) const {
  const Ipv4Address remote = outbound ? ip.destination() : ip.source();
  return rules_.allows_all_ports(outbound, remote, ip.protocol()) ||
         std::ranges::any_of(fragments_, [&](const Fragments& each) {
           return each.id == ip.id() && each.source == ip.source() && each.destination == ip.destination() &&
                  each.protocol == ip.protocol() && now - each.seen < kFragmentPatience;
         });
}

// An error passes when it is about a packet of a conversation that goes on.
bool Access::admits_error(const Ipv4View& ip, bool outbound, Time now) const {
  std::span<u8> quoted = ip.payload().subspan(packet::kIcmpBytes);
  // The quotation is cut off, while its length field is that of the whole packet.
  if (quoted.size() < packet::kIpv4Bytes + 8) return false;
  const std::size_t header = (quoted[0] & 15U) * std::size_t{4};
  if (quoted[0] >> 4U != 4 || header < packet::kIpv4Bytes || quoted.size() < header + 4) return false;
  Flow flow{.local = packet::load32(quoted, 12), .remote = packet::load32(quoted, 16), .protocol = quoted[9]};
  if (flow.protocol == packet::kTcp || flow.protocol == packet::kUdp) {
    flow.local_port = packet::load16(quoted, header);
    flow.remote_port = packet::load16(quoted, header + 2);
  } else if (flow.protocol == packet::kIcmp && quoted.size() >= header + packet::kIcmpBytes) {
    flow.local_port = flow.remote_port = packet::load16(quoted, header + 4);
  }
  // An inbound error quotes what the guest sent, an outbound one what it got.
  if (outbound) {
    std::swap(flow.local, flow.remote);
    std::swap(flow.local_port, flow.remote_port);
  }
  return flows_.contains(flow, now);
}

}  // namespace pileus::vswitch
