#include "host/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/base64.h"

namespace pileus::host {
namespace {

constexpr const char* kDomain = ".internal";

std::string group_names(const control::HostNetwork& network, const control::NetworkPort& port) {
  std::string names;
  for (const model::SecurityGroupId id : port.groups) {
    for (const control::NetworkGroup& group : network.groups) {
      if (group.record.id == id) names += (names.empty() ? "" : "\n") + group.record.name;
    }
  }
  return names;
}

// The VPC of an interface is that of its groups.
std::string vpc_of(const control::HostNetwork& network, const control::NetworkPort& port) {
  for (const control::NetworkGroup& group : network.groups) {
    if (std::ranges::find(port.groups, group.record.id) != port.groups.end()) return group.record.vpc.text();
  }
  return {};
}

std::string group_ids(const control::NetworkPort& port) {
  std::string ids;
  for (const model::SecurityGroupId id : port.groups) ids += (ids.empty() ? "" : "\n") + id.text();
  return ids;
}

std::string region_of(const std::string& zone) {
  return zone.empty() ? zone : zone.substr(0, zone.size() - 1);  // us-east-1a
}

std::string identity_document(const control::Assignment& assignment, const control::HostNetwork& network,
                              const control::NetworkPort& port) {
  const model::InstanceDesired& desired = assignment.desired;
  const nlohmann::ordered_json document = {
      {"accountId", desired.account.text()}, {"architecture", "x86_64"},          {"availabilityZone", network.zone},
      {"imageId", desired.image.text()},     {"instanceId", desired.id.text()},   {"instanceType", desired.type},
      {"privateIp", port.address},           {"region", region_of(network.zone)}, {"version", "2017-09-30"}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string host_name(const std::string& private_address, model::InstanceId id) {
  if (private_address.empty()) return id.text();
  std::string name = "ip-" + private_address;
  std::ranges::replace(name, '.', '-');
  return name;
}

vswitch::Metadata metadata_of(const control::Assignment& assignment, const control::HostNetwork& network,
                              const control::NetworkPort& port, const std::string& public_address) {
  const model::InstanceDesired& desired = assignment.desired;
  const std::string name = host_name(port.address, desired.id) + kDomain;
  vswitch::Metadata metadata;
  metadata.user_data = http::decode_base64(desired.user_data).value_or("");
  metadata.entries["dynamic/instance-identity/document"] = identity_document(assignment, network, port);
  const auto put = [&](const std::string& path, const std::string& text) {
    if (!text.empty()) metadata.entries["meta-data/" + path] = text;
  };
  put("ami-id", desired.image.text());
  if (!desired.disks.empty()) {
    put("block-device-mapping/ami", desired.disks.front().device);
    put("block-device-mapping/root", desired.disks.front().device);
  }
  put("ami-launch-index", std::to_string(desired.launch_index));
  put("hostname", name);
  put("instance-action", "none");
  put("instance-id", desired.id.text());
  put("instance-life-cycle", "on-demand");
  put("instance-type", desired.type);
  put("local-hostname", name);
  put("local-ipv4", port.address);
  put("mac", port.mac);
  put("placement/availability-zone", network.zone);
  put("placement/region", region_of(network.zone));
  put("profile", "default-hvm");
  put("reservation-id", desired.reservation.text());
  put("security-groups", group_names(network, port));
  put("services/domain", "amazonaws.com");
  put("services/partition", "aws");
  if (!assignment.public_key.empty()) {
    put("public-keys/", "0=" + desired.key_name);
    put("public-keys/0/openssh-key", assignment.public_key);
  }
  const std::string address = public_address.substr(0, public_address.find(':'));
  put("public-ipv4", address);
  const std::string interface = "network/interfaces/macs/" + port.mac + "/";
  put(interface + "device-number", "0");
  put(interface + "interface-id", port.interface.text());
  put(interface + "local-hostname", name);
  std::string addresses = port.address;
  for (const std::string& each : port.more_addresses) addresses += "\n" + each;
  put(interface + "local-ipv4s", addresses);
  put(interface + "mac", port.mac);
  put(interface + "owner-id", desired.account.text());
  put(interface + "public-ipv4s", address);
  if (!address.empty()) put(interface + "ipv4-associations/" + address, port.address);
  put(interface + "security-group-ids", group_ids(port));
  put(interface + "security-groups", group_names(network, port));
  put(interface + "subnet-id", desired.subnet.text());
  put(interface + "vpc-id", vpc_of(network, port));
  put(interface + "subnet-ipv4-cidr-block", port.subnet);
  const auto vpc = network.networks.find(port.network);
  if (vpc != network.networks.end() && !vpc->second.empty()) {
    std::string blocks;
    for (const std::string& each : vpc->second) blocks += (blocks.empty() ? "" : "\n") + each;
    put(interface + "vpc-ipv4-cidr-block", vpc->second.front());
    put(interface + "vpc-ipv4-cidr-blocks", blocks);
  }
  for (const auto& [key, value] : desired.tags) {
    // A key with a slash would be a folder: EC2 shows none.
    if (desired.metadata.tags && key.find('/') == std::string::npos) put("tags/instance/" + key, value);
  }
  metadata.enabled = desired.metadata.enabled;
  metadata.token_required = desired.metadata.token_required;
  metadata.hop_limit = static_cast<u8>(desired.metadata.hop_limit);
  return metadata;
}

}  // namespace pileus::host
