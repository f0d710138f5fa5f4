// What is shown of network interfaces.
#include "ec2/filters.h"
#include "ec2/instances/objects.h"
#include "ec2/interfaces/handlers.h"
#include "ec2/interfaces/objects.h"
#include "ec2/internal/records.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"

namespace pileus::ec2 {
namespace {

// An interface with the subnet that it is in.
struct Entry {
  model::InterfaceDesired interface;
  model::SubnetDesired subnet;
};
const model::Tags& tags_of(const Entry& entry) { return entry.interface.tags; }

Texts addresses(const Entry& each) {
  Texts texts = each.interface.more_addresses;
  texts.insert(texts.begin(), each.interface.private_address);
  return texts;
}

constexpr Filter<Entry> kFilters[] = {
    {"network-interface-id", [](const Entry& each) { return Texts{each.interface.id.text()}; }},
    {"subnet-id", [](const Entry& each) { return Texts{each.interface.subnet.text()}; }},
    {"vpc-id", [](const Entry& each) { return Texts{each.subnet.vpc.text()}; }},
    {"availability-zone", [](const Entry& each) { return Texts{each.subnet.zone}; }},
    {"owner-id", [](const Entry& each) { return Texts{each.interface.account.text()}; }},
    {"mac-address", [](const Entry& each) { return Texts{each.interface.mac}; }},
    {"private-ip-address", [](const Entry& each) { return Texts{each.interface.private_address}; }},
    {"private-dns-name", [](const Entry& each) { return Texts{private_dns_name(each.interface.private_address)}; }},
    {"addresses.private-ip-address", addresses},
    {"addresses.association.public-ip", [](const Entry& each) { return Texts{each.interface.elastic_address}; }},
    {"association.public-ip", [](const Entry& each) { return Texts{each.interface.elastic_address}; }},
    {"association.allocation-id", [](const Entry& each) { return Texts{each.interface.allocation.text()}; }},
    {"association.association-id", [](const Entry& each) { return Texts{each.interface.association.text()}; }},
    {"attachment.instance-id", [](const Entry& each) { return Texts{each.interface.instance.text()}; }},
    {"attachment.attachment-id",
     [](const Entry& each) { return each.interface.instance ? Texts{attachment_id(each.interface.id)} : Texts(); }},
    {"attachment.device-index",
     [](const Entry& each) {
       return each.interface.instance ? Texts{std::to_string(each.interface.device_index)} : Texts();
     }},
    {"attachment.status", [](const Entry& each) { return each.interface.instance ? Texts{"attached"} : Texts(); }},
    {"attachment.delete-on-termination", [](const Entry& each) { return flag(each.interface.delete_on_termination); }},
    {"description", [](const Entry& each) { return Texts{each.interface.description}; }},
    {"interface-type", [](const Entry&) { return Texts{"interface"}; }},
    {"requester-managed", [](const Entry&) { return flag(false); }},
    {"source-dest-check", [](const Entry& each) { return flag(each.interface.source_dest_check); }},
    {"group-id",
     [](const Entry& each) {
       Texts groups;
       for (const model::SecurityGroupId id : each.interface.security_groups) groups.push_back(id.text());
       return groups;
     }},
    {"status", [](const Entry& each) { return Texts{each.interface.instance ? "in-use" : "available"}; }},
};

void write_association(pugi::xml_node parent, const model::InterfaceDesired& interface,
                       const std::string& public_address) {
  if (public_address.empty()) return;
  pugi::xml_node node = add(parent, "association");
  add(node, "publicIp", public_address);
  add(node, "publicDnsName", public_address);
  add(node, "ipOwnerId", interface.allocation ? interface.account.text() : std::string("amazon"));
  add_if(node, "allocationId", interface.allocation.text());
  add_if(node, "associationId", interface.association.text());
}

void write_attachment(pugi::xml_node parent, const model::InterfaceDesired& interface) {
  pugi::xml_node node = add(parent, "attachment");
  add(node, "attachmentId", attachment_id(interface.id));
  add(node, "instanceId", interface.instance.text());
  add(node, "instanceOwnerId", interface.account.text());
  add_number(node, "deviceIndex", interface.device_index);
  add_number(node, "networkCardIndex", 0);
  add(node, "status", "attached");
  if (interface.attached_since != 0) add_time(node, "attachTime", interface.attached_since);
  add_flag(node, "deleteOnTermination", interface.delete_on_termination);
}

}  // namespace

std::string attachment_id(model::InterfaceId id) {
  return "eni-attach-" + id.text().substr(std::string_view("eni-").size());
}

std::string private_dns_name(const std::string& address) {
  if (address.empty()) return {};
  std::string name = "ip-" + address + ".internal";
  std::replace(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(3 + address.size()), '.', '-');
  return name;
}

std::string InterfaceNames::vpc_of(model::SubnetId subnet) const {
  const auto found = subnets.find(subnet);
  return found == subnets.end() ? std::string() : found->second.vpc.text();
}

Reply<InterfaceNames> interface_names(const Call& call) {
  InterfaceNames names;
  names.groups = TRY(group_names(call));
  for (auto& subnet : TRY(all_records<model::SubnetDesired>(call))) names.subnets[subnet.id] = std::move(subnet);
  for (auto& group : TRY(all_records<model::PlacementGroup>(call)))
    names.placement_groups[group.id] = std::move(group.name);
  return names;
}

void write_interface(pugi::xml_node item, const model::InterfaceDesired& interface, const InterfaceNames& names,
                     const std::string& public_address) {
  add(item, "networkInterfaceId", interface.id.text());
  add(item, "subnetId", interface.subnet.text());
  add(item, "vpcId", names.vpc_of(interface.subnet));
  const auto subnet = names.subnets.find(interface.subnet);
  if (subnet != names.subnets.end()) add(item, "availabilityZone", subnet->second.zone);
  add(item, "description", interface.description);
  add(item, "ownerId", interface.account.text());
  add_flag(item, "requesterManaged", false);
  add(item, "status", interface.instance ? "in-use" : "available");
  add(item, "macAddress", interface.mac);
  add(item, "privateIpAddress", interface.private_address);
  add(item, "privateDnsName", private_dns_name(interface.private_address));
  add_flag(item, "sourceDestCheck", interface.source_dest_check);
  write_groups(item, interface.security_groups, names.groups);
  if (interface.instance) write_attachment(item, interface);
  write_association(item, interface, public_address);
  pugi::xml_node set = add(item, "privateIpAddressesSet");
  pugi::xml_node first = add_item(set);
  add(first, "privateIpAddress", interface.private_address);
  add(first, "privateDnsName", private_dns_name(interface.private_address));
  add_flag(first, "primary", true);
  write_association(first, interface, public_address);
  for (const std::string& address : interface.more_addresses) {
    pugi::xml_node more = add_item(set);
    add(more, "privateIpAddress", address);
    add(more, "privateDnsName", private_dns_name(address));
    add_flag(more, "primary", false);
  }
  add(item, "ipv6AddressesSet");
  add(item, "interfaceType", "interface");
  add_tags(item, interface.tags);
}

Reply<> describe_network_interfaces(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  const InterfaceNames names = TRY(interface_names(call));
  std::vector<Entry> entries;
  for (auto& interface : TRY(chosen_records<model::InterfaceDesired>(call, "NetworkInterfaceId"))) {
    const auto subnet = names.subnets.find(interface.subnet);
    Entry entry{std::move(interface), subnet == names.subnets.end() ? model::SubnetDesired() : subnet->second};
    if (filters.pass(entry)) entries.push_back(std::move(entry));
  }
  pugi::xml_node set = add(answer, "networkInterfaceSet");
  write_page(
      page, entries, answer, [](const Entry& each) { return each.interface.id.text(); },
      [&](const Entry& each) {
        write_interface(add_item(set), each.interface, names, each.interface.elastic_address);
      });
  return {};
}

Reply<> describe_network_interface_attribute(Call& call, pugi::xml_node answer) {
  const auto interface =
      TRY(find_record<model::InterfaceDesired>(call, call.parameters.get("NetworkInterfaceId"))).value;
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "networkInterfaceId", interface.id.text());
  if (attribute == "description") {
    add(add(answer, "description"), "value", interface.description);
  } else if (attribute == "sourceDestCheck") {
    add_flag(add(answer, "sourceDestCheck"), "value", interface.source_dest_check);
  } else if (attribute == "groupSet") {
    write_groups(answer, interface.security_groups, TRY(group_names(call)));
  } else if (attribute == "attachment") {
    if (interface.instance) write_attachment(answer, interface);
  } else {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid");
  }
  return {};
}

}  // namespace pileus::ec2
