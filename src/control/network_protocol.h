// What the cloud manager tells a host for its virtual switch (docs/formats/host-protocol.md), as JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/network.h"

namespace pileus::control {

// Where one of the host's instances is plugged in.
struct NetworkPort {
  model::InstanceId instance;
  model::InterfaceId interface;
  u32 network = 0;  // VXLAN network identifier of its VPC
  std::string mac;
  std::string address;
  std::string subnet;  // "172.31.0.0/20"
  std::vector<model::SecurityGroupId> groups;
  bool check_source = true;
  std::vector<std::string> more_addresses;  // besides `address`
};

struct NetworkGroup {
  model::SecurityGroup record;
  std::vector<std::string> members;  // addresses; of groups that rules name
};

// An instance of another host, in a network that this host is in.
struct RemoteGuest {
  u32 network = 0;
  std::string mac;
  std::string address;
  std::string host;  // where its switch takes tunnels: "10.0.0.2:4789"
};

struct HostNetwork {
  std::map<u32, std::vector<std::string>> networks;  // by identifier: the VPC's blocks of addresses
  std::vector<NetworkPort> ports;
  std::vector<NetworkGroup> groups;  // of the ports, and those that their rules name
  std::vector<RemoteGuest> remotes;
  std::string zone;
};

std::string encode(const HostNetwork& message);
// kCorrupt: not JSON, a field missing or of the wrong kind.
Result<HostNetwork> parse_host_network(std::string_view text);

}  // namespace pileus::control
