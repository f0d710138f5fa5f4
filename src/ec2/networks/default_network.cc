// The default network of each account: made when it is first needed, unless it was deleted.
#include <optional>
#include <set>

#include "ec2/internal/records.h"
#include "ec2/networks/blocks.h"
#include "ec2/networks/handlers.h"
#include "ec2/networks/objects.h"
#include "ec2/routes/objects.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kDefaultBlock = "172.31.0.0/16";
constexpr u8 kSubnetPrefix = 20;
constexpr std::size_t kMaxSubnets = 16;  // of a /20 in a /16
constexpr std::string_view kDeleted = "none";

struct Seen {
  std::optional<DefaultNetwork> network;
  bool deleted = false;
  state::Revision revision = 0;
};

Reply<Seen> look(const Call& call) {
  const std::optional<state::KeyValue> entry = TRY(call.store.get(default_network_key(call)));
  Seen seen;
  if (!entry) return seen;
  seen.revision = entry->mod_revision;
  seen.deleted = entry->value == kDeleted;
  if (seen.deleted) return seen;
  const std::size_t space = std::min(entry->value.find(' '), entry->value.size());
  DefaultNetwork network;
  network.vpc = TRY(model::VpcId::parse(entry->value.substr(0, space)));
  network.group = TRY(model::SecurityGroupId::parse(entry->value.substr(std::min(space + 1, entry->value.size()))));
  seen.network = network;
  return seen;
}

std::string nth_block(std::size_t index) {
  const packet::Cidr all = block_of(std::string(kDefaultBlock));
  return packet::cidr_text({all.address + (static_cast<u32>(index) << (32U - kSubnetPrefix)), kSubnetPrefix});
}

model::SubnetDesired default_subnet(const Call& call, model::VpcId vpc, const std::string& zone, std::size_t index) {
  model::SubnetDesired subnet;
  subnet.id = model::SubnetId::random();
  subnet.account = call.account.id;
  subnet.vpc = vpc;
  subnet.zone = zone;
  subnet.cidr = nth_block(index);
  subnet.default_for_zone = true;
  subnet.public_on_launch = true;
  return subnet;
}

// Somebody else may be quicker: then it is theirs.
Reply<> make(const Call& call, state::Revision seen) {
  model::VpcDesired vpc;
  vpc.id = model::VpcId::random();
  vpc.account = call.account.id;
  vpc.cidr = kDefaultBlock;
  vpc.is_default = true;
  vpc.dns_hostnames = true;
  const auto group = model::SecurityGroupId::random();
  control::Change change;
  change.expect(default_network_key(call), seen);
  change.put(default_network_key(call), vpc.id.text() + " " + group.text());
  add_vpc(change, vpc, group);
  TRY(tell(call, change, vpc.id, "created", "the default network"));
  model::InternetGateway gateway;
  gateway.id = model::InternetGatewayId::random();
  gateway.account = call.account.id;
  gateway.vpc = vpc.id;
  change.update(model::desired_key(gateway.id), gateway, 0);
  model::RouteTable table = new_main_table(vpc);
  table.routes.push_back({"0.0.0.0/0", gateway.id, {}, {}});
  change.update(model::desired_key(table.id), table, 0);
  for (std::size_t i = 0; i < std::min(call.settings.zones.size(), kMaxSubnets); ++i) {
    const model::SubnetDesired subnet = default_subnet(call, vpc.id, call.settings.zones[i], i);
    change.update(model::desired_key(subnet.id), subnet, 0);
  }
  TRY(change.commit(call.store));
  return {};
}

Reply<Seen> look_or_make(const Call& call) {
  const Seen seen = TRY(look(call));
  if (seen.network || seen.deleted) return seen;
  TRY(make(call, seen.revision));
  return look(call);
}

}  // namespace

std::string default_network_key(const Call& call) { return "v1/default-networks/" + call.account.id.text(); }

Reply<DefaultNetwork> default_network(const Call& call) {
  const Seen seen = TRY(look_or_make(call));
  if (seen.network) return *seen.network;
  return ApiError("VPCIdNotSpecified", "No default VPC for this user: CreateDefaultVpc makes one");
}

Reply<> ensure_default_network(const Call& call) {
  TRY(look_or_make(call));
  return {};
}

Reply<model::SecurityGroupId> default_group(const Call& call, model::VpcId vpc) {
  for (const auto& group : TRY(all_records<model::SecurityGroup>(call))) {
    if (group.vpc == vpc && group.name == kDefaultGroup) return group.id;
  }
  return ApiError("InvalidGroup.NotFound", "The network " + vpc.text() + " has no group 'default'");
}

Reply<> create_default_vpc(Call& call, pugi::xml_node answer) {
  const Seen seen = TRY(look(call));
  if (seen.network) {
    return ApiError("DefaultVpcAlreadyExists",
                    "A Default VPC already exists for this account in this region: " + seen.network->vpc.text());
  }
  TRY(make(call, seen.revision));
  const DefaultNetwork made = TRY(default_network(call));
  write_vpc(add(answer, "vpc"), TRY(find_record<model::VpcDesired>(call, made.vpc.text())).value);
  return {};
}

Reply<> create_default_subnet(Call& call, pugi::xml_node answer) {
  const std::string& zone = call.parameters.get("AvailabilityZone");
  if (std::ranges::find(call.settings.zones, zone) == call.settings.zones.end()) {
    return ApiError("InvalidParameterValue", "Invalid availability zone: [" + zone.substr(0, 40) + "]");
  }
  model::SubnetDesired subnet;
  const auto attempt = [&]() -> Reply<bool> {
    const Reply<DefaultNetwork> network = default_network(call);
    if (!network) return ApiError("DefaultVpcDoesNotExist", network.error().message);
    // Of those that are made at once, one is.
    const auto turn = TRY(call.store.get(model::network_turn_key(network->vpc)));
    std::vector<packet::Cidr> taken;
    for (const auto& each : TRY(all_records<model::SubnetDesired>(call))) {
      if (each.vpc != network->vpc) continue;
      taken.push_back(block_of(each.cidr));
      if (!each.default_for_zone || each.zone != zone) continue;
      return ApiError("DefaultSubnetAlreadyExistsInAvailabilityZone",
                      each.id.text() + " is already the default subnet in " + zone + ".");
    }
    std::size_t index = 0;
    const auto is_taken = [&](std::size_t i) {
      return std::ranges::any_of(taken, [&](const auto& other) { return overlap(other, block_of(nth_block(i))); });
    };
    while (index < kMaxSubnets && is_taken(index)) ++index;
    if (index == kMaxSubnets) {
      return ApiError("InvalidSubnet.Conflict", "The default network has no block of addresses left");
    }
    subnet = default_subnet(call, network->vpc, zone, index);
    control::Change change;
    change.expect(model::network_turn_key(network->vpc), turn ? turn->mod_revision : 0);
    enter_vpc(change, network->vpc);
    change.update(model::desired_key(subnet.id), subnet, 0);
    TRY(tell(call, change, subnet.id, "created", subnet.cidr));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  write_subnet(add(answer, "subnet"), call, subnet, TRY(count_free_addresses(call, subnet)));
  return {};
}

}  // namespace pileus::ec2
