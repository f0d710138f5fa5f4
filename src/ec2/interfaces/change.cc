// Network interfaces: made, changed, deleted. An instance has one, which it gets at launch: there it can be one that was made
// before.
#include "control/interfaces.h"
#include "ec2/instances/objects.h"
#include "ec2/interfaces/handlers.h"
#include "ec2/interfaces/objects.h"
#include "ec2/internal/digest.h"
#include "ec2/internal/once.h"
#include "ec2/internal/records.h"
#include "ec2/networks/objects.h"
#include "ec2/networks/subnet_addresses.h"
#include "ec2/security_groups/objects.h"
#include "ec2/tags/objects.h"

namespace pileus::ec2 {
namespace {

using Interface = model::InterfaceDesired;
constexpr std::size_t kMaxDescription = 255;
constexpr i64 kMaxMoreAddresses = 49;

std::string mac_of(u64 random) {
  std::string mac = "02";  // locally administered
  for (int i = 0; i < 5; ++i) {
    const char byte = static_cast<char>(random >> (8 * i) & 0xFFU);
    mac += ":" + hex(std::string_view(&byte, 1));
  }
  return mac;
}

struct Addresses {
  std::string primary;
  std::vector<std::string> more;
};
Reply<Addresses> read_addresses(const Call& call, const model::SubnetDesired& subnet) {
  const Parameters& given = call.parameters;
  Addresses addresses;
  if (given.has("PrivateIpAddress")) {
    addresses.primary = TRY(choose_address(call, subnet, given.get("PrivateIpAddress")));
  }
  for (const Parameters& each : given.structures("PrivateIpAddresses")) {
    const std::string address = TRY(choose_address(call, subnet, each.get("PrivateIpAddress")));
    if (TRY(each.boolean("Primary", false))) addresses.primary = address;
    else addresses.more.push_back(address);
  }
  const i64 count = TRY(given.integer("SecondaryPrivateIpAddressCount", 0));
  if (count < 0 || count + static_cast<i64>(addresses.more.size()) > kMaxMoreAddresses) {
    return ApiError("PrivateIpAddressLimitExceeded", "An interface has at most 50 private addresses");
  }
  const std::size_t wanted = static_cast<std::size_t>(count) + (addresses.primary.empty() ? 1 : 0);
  std::vector<std::string> chosen = TRY(choose_addresses(call, subnet, wanted));
  if (addresses.primary.empty()) {
    addresses.primary = chosen.back();
    chosen.pop_back();
  }
  addresses.more.insert(addresses.more.end(), chosen.begin(), chosen.end());
  return addresses;
}

}  // namespace

Interface new_interface(const model::SubnetDesired& subnet, std::string address,
                        std::vector<model::SecurityGroupId> groups) {
  Interface interface;
  interface.id = model::InterfaceId::random();
  interface.account = subnet.account;
  interface.subnet = subnet.id;
  interface.mac = mac_of(model::random_id());
  interface.private_address = std::move(address);
  interface.security_groups = std::move(groups);
  interface.wants_public = subnet.public_on_launch;
  return interface;
}

void add_interface(control::Change& change, const Interface& interface) {
  change.update(model::desired_key(interface.id), interface, 0);
  claim_address(change, interface.subnet, interface.private_address, interface.id);
  for (const std::string& address : interface.more_addresses) {
    claim_address(change, interface.subnet, address, interface.id);
  }
}

Reply<std::vector<model::SecurityGroupId>> groups_in(const Call& call, model::VpcId vpc,
                                                     const std::vector<std::string>& ids) {
  std::vector<model::SecurityGroupId> groups;
  for (const std::string& text : ids) {
    const model::SecurityGroup group = TRY(find_group(call, text, "")).value;
    if (group.vpc != vpc) {
      return ApiError("InvalidParameter", "Security group " + text + " and the subnet belong to different networks.");
    }
    if (std::ranges::find(groups, group.id) == groups.end()) groups.push_back(group.id);
  }
  if (groups.empty()) groups.push_back(TRY(default_group(call, vpc)));
  return groups;
}

Reply<> set_groups(const Call& call, model::InterfaceId id, const std::vector<std::string>& ids) {
  return retry([&]() -> Reply<bool> {
    auto interface = TRY(find_record<Interface>(call, id.text()));
    const auto subnet =
        TRY(control::read<model::SubnetDesired>(call.store, model::desired_key(interface.value.subnet)));
    interface.value.security_groups = TRY(groups_in(call, subnet.value.vpc, ids));
    control::Change change;
    change.update(model::desired_key(id), interface.value, interface.revision);
    for (const model::SecurityGroupId group : interface.value.security_groups) {
      change.expect(state::Compare::exists(model::desired_key(group)));
    }
    if (interface.value.instance) {
      const std::string key = model::desired_key(interface.value.instance);
      auto instance = TRY(control::read<model::InstanceDesired>(call.store, key));
      instance.value.security_groups = interface.value.security_groups;
      instance.value.generation++;
      if (instance.exists()) change.update(key, instance.value, instance.revision);
    }
    return TRY(change.commit(call.store)).has_value();
  });
}

Reply<> create_network_interface(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  if (given.has("Ipv6AddressCount") || !given.structures("Ipv6Addresses").empty()) return no_ipv6();
  if (given.has("InterfaceType") && given.get("InterfaceType") != "interface") {
    return ApiError("UnsupportedOperation", "Interfaces are of the type 'interface' here");
  }
  if (given.get("Description").size() > kMaxDescription) {
    return ApiError("InvalidParameterValue", "An interface's description has up to 255 characters");
  }
  const model::Tags tags = TRY(tags_for(given, "network-interface"));
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    const auto subnet = TRY(find_record<model::SubnetDesired>(call, given.get("SubnetId"))).value;
    const Addresses addresses = TRY(read_addresses(call, subnet));
    Interface interface =
        new_interface(subnet, addresses.primary, TRY(groups_in(call, subnet.vpc, given.list("SecurityGroupId"))));
    interface.more_addresses = addresses.more;
    interface.description = given.get("Description");
    interface.delete_on_termination = false;
    interface.wants_public = false;
    interface.tags = tags;
    enter_subnet(change, subnet.id);
    add_interface(change, interface);
    for (const model::SecurityGroupId group : interface.security_groups) {
      change.expect(state::Compare::exists(model::desired_key(group)));
    }
    return interface.id.text();
  };
  const std::string id = TRY(make_once(call, "CreateNetworkInterface", make));
  write_interface(add(answer, "networkInterface"), TRY(find_record<Interface>(call, id)).value,
                  TRY(interface_names(call)), "");
  add_if(answer, "clientToken", given.get("ClientToken"));
  return {};
}

Reply<> delete_network_interface(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const auto interface = TRY(find_record<Interface>(call, call.parameters.get("NetworkInterfaceId")));
    const Interface& value = interface.value;
    if (value.instance) {
      return ApiError("InvalidParameterValue",
                      "Network interface '" + value.id.text() + "' is currently in use by " + value.instance.text());
    }
    control::Change change;
    change.expect(model::desired_key(value.id), interface.revision);
    TRY(control::erase_interface(call.store, change, value));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> modify_network_interface_attribute(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  const std::vector<std::string> groups = given.list("SecurityGroupId");
  const std::string& id = given.get("NetworkInterfaceId");
  if (!groups.empty()) {
    const auto interface = TRY(find_record<Interface>(call, id));
    TRY(set_groups(call, interface.value.id, groups));
  } else if (given.has("SourceDestCheck.Value") || given.has("Attachment.DeleteOnTermination") ||
             given.all().contains("Description.Value")) {
    const auto change_it = [&](Interface& interface) -> Reply<> {
      interface.source_dest_check = TRY(given.boolean("SourceDestCheck.Value", interface.source_dest_check));
      if (given.all().contains("Description.Value")) interface.description = given.get("Description.Value");
      if (interface.description.size() > kMaxDescription) {
        return ApiError("InvalidParameterValue", "An interface's description has up to 255 characters");
      }
      if (!given.has("Attachment.DeleteOnTermination")) return {};
      if (!interface.instance || given.get("Attachment.AttachmentId") != attachment_id(interface.id)) {
        return ApiError("InvalidAttachmentID.NotFound", "The attachment '" + given.get("Attachment.AttachmentId") +
                                                            "' is not of interface " + interface.id.text());
      }
      interface.delete_on_termination = TRY(given.boolean("Attachment.DeleteOnTermination", true));
      return {};
    };
    TRY(change_record<Interface>(call, id, change_it));
  } else {
    return ApiError("InvalidParameterCombination", "No attributes specified.");
  }
  add_flag(answer, "return", true);
  return {};
}

Reply<> attach_network_interface(Call& call, pugi::xml_node) {
  const Interface interface = TRY(find_record<Interface>(call, call.parameters.get("NetworkInterfaceId"))).value;
  const InstanceEntry instance = TRY(find_instance(call, call.parameters.get("InstanceId")));
  if (interface.instance) {
    return ApiError("InvalidParameterValue", "Interface: [" + interface.id.text() + "] in use.");
  }
  if (TRY(call.parameters.integer("DeviceIndex", 0)) == 0) {
    return ApiError("InvalidParameterValue", "Instance '" + instance.desired.id.text() +
                                                 "' already has an interface attached at device index '0'.");
  }
  return ApiError("UnsupportedOperation",
                  "An instance has one network interface here: name " + interface.id.text() +
                      " as NetworkInterface.1.NetworkInterfaceId when you launch an instance with it");
}

Reply<> detach_network_interface(Call& call, pugi::xml_node) {
  const std::string& id = call.parameters.get("AttachmentId");
  for (const Interface& each : TRY(all_records<Interface>(call))) {
    if (!each.instance || attachment_id(each.id) != id) continue;
    return ApiError("OperationNotPermitted",
                    "The network interface at device index 0 cannot be detached: terminate " + each.instance.text());
  }
  return ApiError("InvalidAttachmentID.NotFound", "The attachment '" + id.substr(0, 60) + "' does not exist.");
}

}  // namespace pileus::ec2
