// Config: all that a virtual switch is to do, as records (docs/formats/switch-control.md). Nothing is learned from traffic.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "packet/bytes.h"

namespace pileus::vswitch {

using packet::Cidr;
using packet::Ipv4Address;
using packet::MacAddress;

// One rule of a security group: what it names is allowed.
struct Rule {
  static constexpr int kAllProtocols = -1;
  bool egress = false;  // from the guest; else to it
  int protocol = kAllProtocols;
  int from_port = -1;  // -1: all; ICMP: its type
  int to_port = -1;  // ICMP: its code
  // The other end: a block of addresses, or the members of a group.
  Cidr cidr;
  std::string peer_group;  // empty: `cidr`
};

struct Group {
  std::vector<Rule> rules;
  std::vector<Ipv4Address> members;  // of all hosts, for rules with it as peer
};

// A TCP port of this machine that leads into a guest.
struct Mapping {
  std::string host_address;
  u16 host_port = 0;
  u16 guest_port = 0;
  bool operator==(const Mapping&) const = default;
};

// What the guest reads at 169.254.169.254.
struct Metadata {
  bool token_required = false;  // IMDSv2 only
  u8 hop_limit = 1;  // of answers to requests for a token
  bool enabled = true;
  // By path below "/latest/": "meta-data/instance-id". A path that ends in '/' is the listing of that folder.
  std::map<std::string, std::string> entries;
  std::string user_data;  // any bytes
  bool operator==(const Metadata&) const = default;
};

// Where one VM is plugged in.
struct Port {
  std::string id;  // names its socket: letters, digits and '-'
  u32 network = 0;  // VXLAN network identifier: what has another one is another world
  MacAddress mac = {};
  Ipv4Address address = 0;
  std::vector<Ipv4Address> more_addresses;  // that are the guest's too; DHCP gives it `address`
  Cidr subnet;
  std::vector<std::string> groups;
  bool check_source = true;  // only its own addresses may be in its packets
  std::string host_name;
  std::vector<Mapping> mappings;
  Metadata metadata;

  // The first address of the subnet: the router, which is this switch.
  Ipv4Address router() const { return subnet.address + 1; }
  bool has(Ipv4Address other) const {
    return other == address || std::ranges::find(more_addresses, other) != more_addresses.end();
  }
};

struct Endpoint {
  Ipv4Address address = 0;
  u16 port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// A guest at another host's switch.
struct Remote {
  u32 network = 0;
  MacAddress mac = {};
  Ipv4Address address = 0;
  Endpoint host;
};

struct Config {
  std::map<u32, std::vector<Cidr>> networks;  // the addresses that never leave a network
  std::map<std::string, Port> ports;
  std::map<std::string, Group> groups;
  std::vector<Remote> remotes;
  std::optional<Endpoint> tunnel;  // where tunnels end here; none: there are none
  std::string domain = "internal";  // of guests' names: ip-10-0-0-1.DOMAIN
  u16 mtu = 1450;  // leaves room for a tunnel's headers in packets of 1500 bytes
};

std::string encode(const Config& config);
// kInvalid: not JSON, a field missing or of the wrong kind, two ports with one address, a port of an unknown network.
Result<Config> parse_config(std::string_view text);

}  // namespace pileus::vswitch
