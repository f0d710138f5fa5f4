// Subnets: made, deleted, changed, shown.
#include "ec2/filters.h"
#include "ec2/internal/records.h"
#include "ec2/networks/blocks.h"
#include "ec2/networks/handlers.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"
#include "ec2/routes/objects.h"
#include "ec2/tags/objects.h"

namespace pileus::ec2 {
namespace {

using Subnet = model::SubnetDesired;

const model::Tags& tags_of(const Subnet& subnet) { return subnet.tags; }
// What filters look at: the number of free addresses is counted only once.
struct Entry {
  Subnet subnet;
  i64 free = 0;
};
const model::Tags& entry_tags(const Entry& entry) { return tags_of(entry.subnet); }

std::string arn(const Call& call, const Subnet& subnet) {
  return "arn:aws:ec2:" + call.settings.region + ":" + subnet.account.text() + ":subnet/" + subnet.id.text();
}

constexpr Filter<Entry> kFilters[] = {
    {"subnet-id", [](const Entry& each) { return Texts{each.subnet.id.text()}; }},
    {"vpc-id", [](const Entry& each) { return Texts{each.subnet.vpc.text()}; }},
    {"state", [](const Entry&) { return Texts{"available"}; }},
    {"availability-zone", [](const Entry& each) { return Texts{each.subnet.zone}; }},
    {"availabilityZone", [](const Entry& each) { return Texts{each.subnet.zone}; }},
    {"availability-zone-id", [](const Entry& each) { return Texts{each.subnet.zone}; }},
    {"available-ip-address-count", [](const Entry& each) { return Texts{std::to_string(each.free)}; }},
    {"cidr-block", [](const Entry& each) { return Texts{each.subnet.cidr}; }},
    {"cidrBlock", [](const Entry& each) { return Texts{each.subnet.cidr}; }},
    {"cidr", [](const Entry& each) { return Texts{each.subnet.cidr}; }},
    {"default-for-az", [](const Entry& each) { return flag(each.subnet.default_for_zone); }},
    {"defaultForAz", [](const Entry& each) { return flag(each.subnet.default_for_zone); }},
    {"map-public-ip-on-launch", [](const Entry& each) { return flag(each.subnet.public_on_launch); }},
    {"owner-id", [](const Entry& each) { return Texts{each.subnet.account.text()}; }},
};

Reply<std::string> choose_zone(const Call& call) {
  const Parameters& given = call.parameters;
  const std::string& named =
      given.has("AvailabilityZone") ? given.get("AvailabilityZone") : given.get("AvailabilityZoneId");
  const std::vector<std::string>& zones = call.settings.zones;
  if (named.empty()) return zones.front();
  if (std::ranges::find(zones, named) != zones.end()) return named;
  return ApiError("InvalidParameterValue", "Value (" + named.substr(0, 40) +
                                               ") for parameter availabilityZone is invalid. Subnets can currently "
                                               "only be created in the zones of DescribeAvailabilityZones.");
}

// InvalidSubnet.Range, InvalidSubnet.Conflict.
Reply<> check_place(const Call& call, const model::VpcDesired& vpc, const packet::Cidr& block) {
  const auto blocks = blocks_of(vpc);
  const bool inside =
      std::ranges::any_of(blocks, [&](const auto& each) { return contains(block_of(each.cidr), block); });
  const std::string text = packet::cidr_text(block);
  if (!inside) return ApiError("InvalidSubnet.Range", "The CIDR '" + text + "' is invalid: it is not of the network.");
  for (const Subnet& other : TRY(all_records<Subnet>(call))) {
    if (other.vpc != vpc.id || !overlap(block_of(other.cidr), block)) continue;
    return ApiError("InvalidSubnet.Conflict",
                    "The CIDR '" + text + "' conflicts with another subnet, " + other.id.text());
  }
  return {};
}

}  // namespace

void enter_subnet(control::Change& change, model::SubnetId subnet) {
  change.expect(state::Compare::exists(model::desired_key(subnet)));
  change.expect(state::Compare::absent(model::subnet_closing_key(subnet)));
}

Reply<i64> count_free_addresses(const Call& call, const Subnet& subnet) {
  state::Get taken{state::KeyRange::prefix(model::subnet_addresses_prefix(subnet.id))};
  taken.keys_only = true;
  const state::Snapshot all = TRY(call.store.get(taken));
  return static_cast<i64>(size_of(block_of(subnet.cidr)) - kReservedAddresses) - static_cast<i64>(all.entries.size());
}

Reply<VpcOfSubnet> vpcs_of_subnets(const Call& call) {
  VpcOfSubnet vpcs;
  for (const Subnet& subnet : TRY(all_records<Subnet>(call))) vpcs[subnet.id] = subnet.vpc;
  return vpcs;
}

void write_subnet(pugi::xml_node item, const Call& call, const Subnet& subnet, i64 free) {
  add(item, "subnetId", subnet.id.text());
  add(item, "subnetArn", arn(call, subnet));
  add(item, "state", "available");
  add(item, "ownerId", subnet.account.text());
  add(item, "vpcId", subnet.vpc.text());
  add(item, "cidrBlock", subnet.cidr);
  add(item, "ipv6CidrBlockAssociationSet");
  add_number(item, "availableIpAddressCount", free);
  add(item, "availabilityZone", subnet.zone);
  add(item, "availabilityZoneId", subnet.zone);
  add_flag(item, "defaultForAz", subnet.default_for_zone);
  add_flag(item, "mapPublicIpOnLaunch", subnet.public_on_launch);
  add_flag(item, "mapCustomerOwnedIpOnLaunch", false);
  add_flag(item, "assignIpv6AddressOnCreation", false);
  add_flag(item, "enableDns64", false);
  add_flag(item, "ipv6Native", false);
  pugi::xml_node names = add(item, "privateDnsNameOptionsOnLaunch");
  add(names, "hostnameType", "ip-name");
  add_flag(names, "enableResourceNameDnsARecord", false);
  add_flag(names, "enableResourceNameDnsAAAARecord", false);
  add_tags(item, subnet.tags);
}

Reply<> create_subnet(Call& call, pugi::xml_node answer) {
  if (call.parameters.has("Ipv6CidrBlock") || TRY(call.parameters.boolean("Ipv6Native", false))) return no_ipv6();
  const packet::Cidr block = TRY(read_block(call.parameters.get("CidrBlock"), "InvalidSubnet.Range"));
  Subnet subnet;
  subnet.id = model::SubnetId::random();
  subnet.account = call.account.id;
  subnet.zone = TRY(choose_zone(call));
  subnet.cidr = packet::cidr_text(block);
  subnet.tags = TRY(tags_for(call.parameters, "subnet"));
  TRY(ensure_default_network(call));
  const auto attempt = [&]() -> Reply<bool> {
    const auto vpc = TRY(find_record<model::VpcDesired>(call, call.parameters.get("VpcId")));
    subnet.vpc = vpc.value.id;
    // Nobody makes one meanwhile that this one would overlap.
    const auto turn = TRY(call.store.get(model::network_turn_key(subnet.vpc)));
    TRY(check_place(call, vpc.value, block));
    control::Change change;
    change.expect(model::network_turn_key(subnet.vpc), turn ? turn->mod_revision : 0);
    enter_vpc(change, subnet.vpc);
    change.update(model::desired_key(subnet.id), subnet, 0);
    TRY(tell(call, change, subnet.id, "created", subnet.cidr));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  write_subnet(add(answer, "subnet"), call, subnet, TRY(count_free_addresses(call, subnet)));
  return {};
}

// In two steps: once it is marked, nobody takes an address any more; who has one then keeps the subnet alive.
Reply<> delete_subnet(Call& call, pugi::xml_node answer) {
  const auto subnet = TRY(find_record<Subnet>(call, call.parameters.get("SubnetId")));
  const model::SubnetId id = subnet.value.id;
  const std::string closing = model::subnet_closing_key(id);
  control::Change mark;
  mark.put(closing, "");
  TRY(mark.commit(call.store));
  state::Get taken{state::KeyRange::prefix(model::subnet_addresses_prefix(id)), 1};
  const state::Snapshot addresses = TRY(call.store.get(taken));
  const auto gone = [&]() -> Reply<bool> {
    const auto now = TRY(control::read<Subnet>(call.store, model::desired_key(id)));
    control::Change change;
    change.expect(model::desired_key(id), now.revision);
    if (addresses.entries.empty()) {
      change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kSubnet, id.text(), "")));
      TRY(leave_route_tables(call, id, change));
    } else {
      change.erase(state::KeyRange::key(closing));
    }
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(gone));
  if (!addresses.entries.empty()) {
    return ApiError("DependencyViolation", "The subnet '" + id.text() + "' has dependencies and cannot be deleted: " +
                                               addresses.entries.front().value);
  }
  add_flag(answer, "return", true);
  return {};
}

Reply<> modify_subnet_attribute(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  for (const char* name : {"AssignIpv6AddressOnCreation.Value", "EnableDns64.Value",
                           "EnableResourceNameDnsAAAARecordOnLaunch.Value", "MapCustomerOwnedIpOnLaunch.Value"}) {
    if (TRY(given.boolean(name, false))) return ApiError("UnsupportedOperation", std::string(name) + " is not offered");
  }
  if (given.get("PrivateDnsHostnameTypeOnLaunch") == "resource-name" ||
      TRY(given.boolean("EnableResourceNameDnsARecordOnLaunch.Value", false))) {
    return ApiError("UnsupportedOperation", "The names of instances are made of their addresses here");
  }
  const auto change_it = [&](Subnet& subnet) -> Reply<> {
    subnet.public_on_launch = TRY(given.boolean("MapPublicIpOnLaunch.Value", subnet.public_on_launch));
    return {};
  };
  TRY(change_record<Subnet>(call, given.get("SubnetId"), change_it, true));
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_subnets(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, entry_tags));
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  std::vector<Entry> entries;
  for (Subnet& subnet : TRY(chosen_records<Subnet>(call, "SubnetId"))) {
    Entry entry{std::move(subnet), 0};
    entry.free = TRY(count_free_addresses(call, entry.subnet));
    if (filters.pass(entry)) entries.push_back(std::move(entry));
  }
  pugi::xml_node set = add(answer, "subnetSet");
  write_page(
      page, entries, answer, [](const Entry& each) { return each.subnet.id.text(); },
      [&](const Entry& each) { write_subnet(add_item(set), call, each.subnet, each.free); });
  return {};
}

}  // namespace pileus::ec2
