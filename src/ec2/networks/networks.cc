// Virtual networks. Each account has a default one, made when it is first needed.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/instances/objects.h"
#include "ec2/networks/handlers.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kDefaultNetwork = "172.31.0.0/16";
constexpr u32 kSubnetAddresses = 4096;  // of a default subnet, a /20
constexpr u32 kReserved = 5;            // that nobody gets: network, router, DNS, one to come, broadcast
constexpr std::size_t kMostZones = 16;

const model::Tags& vpc_tags(const model::VpcDesired& vpc) { return vpc.tags; }
constexpr Filter<model::VpcDesired> kVpcFilters[] = {
    {"vpc-id", [](const model::VpcDesired& vpc) { return Texts{vpc.id.text()}; }},
    {"cidr", [](const model::VpcDesired& vpc) { return Texts{vpc.cidr}; }},
    {"cidr-block", [](const model::VpcDesired& vpc) { return Texts{vpc.cidr}; }},
    {"cidrBlock", [](const model::VpcDesired& vpc) { return Texts{vpc.cidr}; }},
    {"cidr-block-association.cidr-block", [](const model::VpcDesired& vpc) { return Texts{vpc.cidr}; }},
    {"isDefault", [](const model::VpcDesired& vpc) { return flag(vpc.is_default); }},
    {"is-default", [](const model::VpcDesired& vpc) { return flag(vpc.is_default); }},
    {"state", [](const model::VpcDesired&) { return Texts{"available"}; }},
    {"owner-id", [](const model::VpcDesired& vpc) { return Texts{vpc.account.text()}; }},
};

const model::Tags& subnet_tags(const model::SubnetDesired& subnet) { return subnet.tags; }
constexpr Filter<model::SubnetDesired> kSubnetFilters[] = {
    {"subnet-id", [](const model::SubnetDesired& subnet) { return Texts{subnet.id.text()}; }},
    {"vpc-id", [](const model::SubnetDesired& subnet) { return Texts{subnet.vpc.text()}; }},
    {"state", [](const model::SubnetDesired&) { return Texts{"available"}; }},
    {"availability-zone", [](const model::SubnetDesired& subnet) { return Texts{subnet.zone}; }},
    {"availabilityZone", [](const model::SubnetDesired& subnet) { return Texts{subnet.zone}; }},
    {"cidr-block", [](const model::SubnetDesired& subnet) { return Texts{subnet.cidr}; }},
    {"cidrBlock", [](const model::SubnetDesired& subnet) { return Texts{subnet.cidr}; }},
    {"cidr", [](const model::SubnetDesired& subnet) { return Texts{subnet.cidr}; }},
    {"default-for-az", [](const model::SubnetDesired& subnet) { return flag(subnet.default_for_zone); }},
    {"defaultForAz", [](const model::SubnetDesired& subnet) { return flag(subnet.default_for_zone); }},
    {"owner-id", [](const model::SubnetDesired& subnet) { return Texts{subnet.account.text()}; }},
};

const model::Tags& interface_tags(const model::InterfaceDesired& interface) { return interface.tags; }
constexpr Filter<model::InterfaceDesired> kInterfaceFilters[] = {
    {"network-interface-id", [](const model::InterfaceDesired& each) { return Texts{each.id.text()}; }},
    {"subnet-id", [](const model::InterfaceDesired& each) { return Texts{each.subnet.text()}; }},
    {"mac-address", [](const model::InterfaceDesired& each) { return Texts{each.mac}; }},
    {"private-ip-address", [](const model::InterfaceDesired& each) { return Texts{each.private_address}; }},
    {"addresses.private-ip-address", [](const model::InterfaceDesired& each) { return Texts{each.private_address}; }},
    {"attachment.instance-id", [](const model::InterfaceDesired& each) { return Texts{each.instance.text()}; }},
    {"description", [](const model::InterfaceDesired& each) { return Texts{each.description}; }},
    {"group-id",
     [](const model::InterfaceDesired& each) {
       Texts groups;
       for (const model::SecurityGroupId id : each.security_groups) groups.push_back(id.text());
       return groups;
     }},
    {"status", [](const model::InterfaceDesired& each) { return Texts{each.instance ? "in-use" : "available"}; }},
};

std::string subnet_cidr(std::size_t index) {
  return "172.31." + std::to_string(index * kSubnetAddresses / 256) + ".0/20";
}

// How many addresses of a subnet are free.
Reply<i64> free_addresses(const Call& call, const model::SubnetDesired& subnet) {
  state::Get taken{state::KeyRange::prefix(model::subnet_addresses_prefix(subnet.id))};
  taken.keys_only = true;
  const state::Snapshot all = TRY(call.store.get(taken));
  return static_cast<i64>(kSubnetAddresses - kReserved) - static_cast<i64>(all.entries.size());
}

// The records that the ids name, or all of them.
template <typename Record>
Reply<std::vector<Record>> chosen(const Call& call, model::IdKind kind, const char* list, const std::string& name) {
  std::vector<Record> all = TRY(call.records<Record>(kind));
  const std::vector<std::string> ids = call.parameters.list(list);
  if (ids.empty()) return all;
  std::vector<Record> result;
  for (const std::string& text : ids) {
    const auto id = TRY(parse_id<decltype(Record::id)>(text, name));
    const auto found = std::ranges::find(all, id, &Record::id);
    if (found == all.end()) {
      return ApiError("Invalid" + name + ".NotFound", "The id '" + text + "' does not exist");
    }
    result.push_back(*found);
  }
  return result;
}

}  // namespace

Reply<DefaultNetwork> default_network(const Call& call) {
  const std::string key = "v1/default-networks/" + call.account.id.text();
  const auto read_it = [&]() -> Reply<std::optional<DefaultNetwork>> {
    const std::optional<state::KeyValue> entry = TRY(call.store.get(key));
    if (!entry) return std::optional<DefaultNetwork>();
    const std::size_t space = std::min(entry->value.find(' '), entry->value.size());
    DefaultNetwork network;
    network.vpc = TRY(model::VpcId::parse(entry->value.substr(0, space)));
    network.group = TRY(model::SecurityGroupId::parse(entry->value.substr(std::min(space + 1, entry->value.size()))));
    return std::optional<DefaultNetwork>(network);
  };
  if (const auto network = TRY(read_it())) return *network;

  model::VpcDesired vpc;
  vpc.id = model::VpcId::random();
  vpc.account = call.account.id;
  vpc.cidr = kDefaultNetwork;
  vpc.is_default = true;
  vpc.dns_hostnames = true;
  model::SecurityGroup group;
  group.id = model::SecurityGroupId::random();
  group.account = call.account.id;
  group.vpc = vpc.id;
  group.name = "default";
  group.description = "default VPC security group";
  model::SecurityGroupRule in;
  in.id = model::SecurityGroupRuleId::random();
  in.protocol = "-1";
  in.peer = group.id;
  model::SecurityGroupRule out;
  out.id = model::SecurityGroupRuleId::random();
  out.egress = true;
  out.protocol = "-1";
  out.cidr = "0.0.0.0/0";
  group.rules = {in, out};
  control::Change change;
  change.expect(state::Compare::absent(key));
  change.put(key, vpc.id.text() + " " + group.id.text());
  change.update(model::desired_key(vpc.id), vpc, 0);
  change.update(model::desired_key(group.id), group, 0);
  for (std::size_t i = 0; i < std::min(call.settings.zones.size(), kMostZones); ++i) {
    model::SubnetDesired subnet;
    subnet.id = model::SubnetId::random();
    subnet.account = call.account.id;
    subnet.vpc = vpc.id;
    subnet.zone = call.settings.zones[i];
    subnet.cidr = subnet_cidr(i);
    subnet.default_for_zone = true;
    subnet.public_on_launch = true;
    change.update(model::desired_key(subnet.id), subnet, 0);
  }
  TRY(change.commit(call.store));
  // Ours, or that of a request that was quicker.
  if (const auto network = TRY(read_it())) return *network;
  return ApiError("Unavailable", "The default network could not be made: try again", 503);
}

Reply<> describe_vpcs(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<model::VpcDesired>::read(call.parameters, kVpcFilters, vpc_tags));
  const Page page = TRY(read_page(call.parameters));
  TRY(default_network(call));
  auto vpcs = TRY(chosen<model::VpcDesired>(call, model::IdKind::kVpc, "VpcId", "VpcID"));
  std::erase_if(vpcs, [&](const model::VpcDesired& vpc) { return !filters.pass(vpc); });
  pugi::xml_node set = add(answer, "vpcSet");
  write_page(
      page, vpcs, answer, [](const model::VpcDesired& vpc) { return vpc.id.text(); },
      [&](const model::VpcDesired& vpc) {
        pugi::xml_node item = add_item(set);
        add(item, "vpcId", vpc.id.text());
        add(item, "ownerId", vpc.account.text());
        add(item, "state", "available");
        add(item, "cidrBlock", vpc.cidr);
        pugi::xml_node block = add_item(add(item, "cidrBlockAssociationSet"));
        add(block, "associationId", "vpc-cidr-assoc-" + vpc.id.text().substr(4));
        add(block, "cidrBlock", vpc.cidr);
        add(add(block, "cidrBlockState"), "state", "associated");
        add(item, "dhcpOptionsId", "default");
        add(item, "instanceTenancy", "default");
        add_flag(item, "isDefault", vpc.is_default);
        add_tags(item, vpc.tags);
      });
  return {};
}

Reply<> describe_vpc_attribute(Call& call, pugi::xml_node answer) {
  TRY(default_network(call));
  const auto id = TRY(parse_id<model::VpcId>(call.parameters.get("VpcId"), "VpcID"));
  const auto vpc = TRY(control::read<model::VpcDesired>(call.store, model::desired_key(id)));
  if (!vpc.exists() || vpc.value.account != call.account.id) {
    return ApiError("InvalidVpcID.NotFound", "The vpc ID '" + id.text() + "' does not exist");
  }
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "vpcId", id.text());
  if (attribute == "enableDnsSupport") {
    add_flag(add(answer, "enableDnsSupport"), "value", vpc.value.dns_support);
  } else if (attribute == "enableDnsHostnames") {
    add_flag(add(answer, "enableDnsHostnames"), "value", vpc.value.dns_hostnames);
  } else if (attribute == "enableNetworkAddressUsageMetrics") {
    add_flag(add(answer, "enableNetworkAddressUsageMetrics"), "value", false);
  } else {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid");
  }
  return {};
}

Reply<> describe_subnets(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<model::SubnetDesired>::read(call.parameters, kSubnetFilters, subnet_tags));
  const Page page = TRY(read_page(call.parameters));
  TRY(default_network(call));
  auto subnets = TRY(chosen<model::SubnetDesired>(call, model::IdKind::kSubnet, "SubnetId", "SubnetID"));
  std::erase_if(subnets, [&](const model::SubnetDesired& subnet) { return !filters.pass(subnet); });
  std::map<model::SubnetId, i64> free;
  for (const model::SubnetDesired& subnet : subnets) free[subnet.id] = TRY(free_addresses(call, subnet));
  pugi::xml_node set = add(answer, "subnetSet");
  write_page(
      page, subnets, answer, [](const model::SubnetDesired& subnet) { return subnet.id.text(); },
      [&](const model::SubnetDesired& subnet) {
        pugi::xml_node item = add_item(set);
        add(item, "subnetId", subnet.id.text());
        add(item, "subnetArn",
            "arn:aws:ec2:" + call.settings.region + ":" + subnet.account.text() + ":subnet/" + subnet.id.text());
        add(item, "state", "available");
        add(item, "ownerId", subnet.account.text());
        add(item, "vpcId", subnet.vpc.text());
        add(item, "cidrBlock", subnet.cidr);
        add(item, "ipv6CidrBlockAssociationSet");
        add_number(item, "availableIpAddressCount", free[subnet.id]);
        add(item, "availabilityZone", subnet.zone);
        add(item, "availabilityZoneId", subnet.zone);
        add_flag(item, "defaultForAz", subnet.default_for_zone);
        add_flag(item, "mapPublicIpOnLaunch", subnet.public_on_launch);
        add_flag(item, "assignIpv6AddressOnCreation", false);
        add_tags(item, subnet.tags);
      });
  return {};
}

Reply<> describe_network_interfaces(Call& call, pugi::xml_node answer) {
  const auto filters =
      TRY(FilterSet<model::InterfaceDesired>::read(call.parameters, kInterfaceFilters, interface_tags));
  const Page page = TRY(read_page(call.parameters));
  auto interfaces =
      TRY(chosen<model::InterfaceDesired>(call, model::IdKind::kInterface, "NetworkInterfaceId", "NetworkInterfaceID"));
  std::erase_if(interfaces, [&](const model::InterfaceDesired& each) { return !filters.pass(each); });
  const auto names = TRY(group_names(call));
  const DefaultNetwork network = TRY(default_network(call));
  pugi::xml_node set = add(answer, "networkInterfaceSet");
  write_page(
      page, interfaces, answer, [](const model::InterfaceDesired& each) { return each.id.text(); },
      [&](const model::InterfaceDesired& each) {
        pugi::xml_node item = add_item(set);
        add(item, "networkInterfaceId", each.id.text());
        add(item, "subnetId", each.subnet.text());
        add(item, "vpcId", network.vpc.text());
        add(item, "description", each.description);
        add(item, "ownerId", each.account.text());
        add(item, "status", each.instance ? "in-use" : "available");
        add(item, "macAddress", each.mac);
        add(item, "privateIpAddress", each.private_address);
        add_flag(item, "sourceDestCheck", each.source_dest_check);
        write_groups(item, each.security_groups, names);
        if (each.instance) {
          pugi::xml_node attachment = add(item, "attachment");
          add(attachment, "attachmentId", "eni-attach-" + each.id.text().substr(4));
          add(attachment, "instanceId", each.instance.text());
          add_number(attachment, "deviceIndex", each.device_index);
          add(attachment, "status", "attached");
          add_flag(attachment, "deleteOnTermination", each.delete_on_termination);
        }
        pugi::xml_node address = add_item(add(item, "privateIpAddressesSet"));
        add(address, "privateIpAddress", each.private_address);
        add_flag(address, "primary", true);
        add(item, "ipv6AddressesSet");
        add(item, "interfaceType", "interface");
        add_tags(item, each.tags);
      });
  return {};
}

Reply<> describe_addresses(Call& call, pugi::xml_node answer) {
  for (const std::string& id : call.parameters.list("AllocationId")) {
    return ApiError("InvalidAllocationID.NotFound", "The allocation ID '" + id.substr(0, 40) + "' does not exist");
  }
  for (const std::string& address : call.parameters.list("PublicIp")) {
    return ApiError("InvalidAddress.NotFound", "Address '" + address.substr(0, 40) + "' not found.");
  }
  add(answer, "addressesSet");
  return {};
}

}  // namespace pileus::ec2
