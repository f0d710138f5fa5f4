// Virtual networks: made, deleted, shown.
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

using Vpc = model::VpcDesired;
constexpr std::size_t kMaxVpcs = 100;

const model::Tags& tags_of(const Vpc& vpc) { return vpc.tags; }

Texts cidrs(const Vpc& vpc) {
  Texts texts;
  for (const model::VpcBlock& block : blocks_of(vpc)) texts.push_back(block.cidr);
  return texts;
}
Texts association_ids(const Vpc& vpc) {
  Texts texts;
  for (const model::VpcBlock& block : blocks_of(vpc)) texts.push_back(block.id.text());
  return texts;
}

constexpr Filter<Vpc> kFilters[] = {
    {"vpc-id", [](const Vpc& vpc) { return Texts{vpc.id.text()}; }},
    {"cidr", [](const Vpc& vpc) { return Texts{vpc.cidr}; }},
    {"cidr-block", [](const Vpc& vpc) { return Texts{vpc.cidr}; }},
    {"cidrBlock", [](const Vpc& vpc) { return Texts{vpc.cidr}; }},
    {"cidr-block-association.cidr-block", cidrs},
    {"cidr-block-association.association-id", association_ids},
    {"cidr-block-association.state", [](const Vpc&) { return Texts{"associated"}; }},
    {"dhcp-options-id", [](const Vpc& vpc) { return Texts{dhcp_options_id(vpc.account)}; }},
    {"isDefault", [](const Vpc& vpc) { return flag(vpc.is_default); }},
    {"is-default", [](const Vpc& vpc) { return flag(vpc.is_default); }},
    {"state", [](const Vpc&) { return Texts{"available"}; }},
    {"owner-id", [](const Vpc& vpc) { return Texts{vpc.account.text()}; }},
};

void erase_record(control::Change& change, std::string key, state::Revision revision) {
  change.expect(key, revision);
  change.erase(state::KeyRange::key(std::move(key)));
}

// What is inside of a network and has to go first; empty: nothing.
Reply<std::string> dependent_of(const Call& call, model::VpcId vpc) {
  for (const auto& subnet : TRY(all_records<model::SubnetDesired>(call))) {
    if (subnet.vpc == vpc) return subnet.id.text();
  }
  for (const auto& gateway : TRY(all_records<model::InternetGateway>(call))) {
    if (gateway.vpc == vpc) return gateway.id.text();
  }
  for (const auto& table : TRY(all_records<model::RouteTable>(call))) {
    if (table.vpc == vpc && !is_main(table)) return table.id.text();
  }
  for (const auto& group : TRY(all_records<model::SecurityGroup>(call))) {
    if (group.vpc == vpc && group.name != kDefaultGroup) return group.id.text();
  }
  return std::string();
}

}  // namespace

void enter_vpc(control::Change& change, model::VpcId vpc) {
  change.expect(state::Compare::exists(model::desired_key(vpc)));
  change.put(model::network_turn_key(vpc), "");
}

void add_vpc(control::Change& change, const Vpc& vpc, model::SecurityGroupId id) {
  model::SecurityGroup group;
  group.id = id;
  group.account = vpc.account;
  group.vpc = vpc.id;
  group.name = kDefaultGroup;
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
  change.update(model::desired_key(vpc.id), vpc, 0);
  change.update(model::desired_key(group.id), group, 0);
}

void write_vpc(pugi::xml_node item, const Vpc& vpc) {
  add(item, "vpcId", vpc.id.text());
  add(item, "ownerId", vpc.account.text());
  add(item, "state", "available");
  add(item, "cidrBlock", vpc.cidr);
  pugi::xml_node set = add(item, "cidrBlockAssociationSet");
  for (const model::VpcBlock& each : blocks_of(vpc)) {
    pugi::xml_node block = add_item(set);
    add(block, "associationId", each.id.text());
    add(block, "cidrBlock", each.cidr);
    add(add(block, "cidrBlockState"), "state", "associated");
  }
  add(item, "ipv6CidrBlockAssociationSet");
  add(item, "dhcpOptionsId", dhcp_options_id(vpc.account));
  add(item, "instanceTenancy", "default");
  add_flag(item, "isDefault", vpc.is_default);
  add_tags(item, vpc.tags);
}

Reply<> create_vpc(Call& call, pugi::xml_node answer) {
  const std::string& tenancy = call.parameters.get("InstanceTenancy");
  if (!tenancy.empty() && tenancy != "default") {
    return ApiError("UnsupportedOperation", "Networks have the tenancy 'default' here");
  }
  if (TRY(call.parameters.boolean("AmazonProvidedIpv6CidrBlock", false))) return no_ipv6();
  Vpc vpc;
  vpc.id = model::VpcId::random();
  vpc.account = call.account.id;
  vpc.cidr = packet::cidr_text(TRY(read_block(call.parameters.get("CidrBlock"), "InvalidVpc.Range")));
  vpc.tags = TRY(tags_for(call.parameters, "vpc"));
  if (TRY(all_records<Vpc>(call)).size() >= kMaxVpcs) {
    return ApiError("VpcLimitExceeded", "An account has at most 100 networks");
  }
  control::Change change;
  add_vpc(change, vpc, model::SecurityGroupId::random());
  TRY(tell(call, change, vpc.id, "created", vpc.cidr));
  TRY(change.commit(call.store));
  write_vpc(add(answer, "vpc"), vpc);
  return {};
}

Reply<> delete_vpc(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const auto vpc = TRY(find_record<Vpc>(call, call.parameters.get("VpcId")));
    const model::VpcId id = vpc.value.id;
    // Read before what is inside: whoever comes in later changes it.
    const auto turn = TRY(call.store.get(model::network_turn_key(id)));
    const std::string dependent = TRY(dependent_of(call, id));
    if (!dependent.empty()) {
      return ApiError("DependencyViolation",
                      "The vpc '" + id.text() + "' has dependencies and cannot be deleted: " + dependent);
    }
    control::Change change;
    change.expect(model::network_turn_key(id), turn ? turn->mod_revision : 0);
    // With all its parts: turn, number, events.
    change.expect(model::desired_key(id), vpc.revision);
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kVpc, id.text(), "")));
    const auto observed = TRY(control::read<model::VpcObserved>(call.store, model::observed_key(id)));
    change.expect(model::observed_key(id), observed.revision);
    if (observed.value.vni != 0) change.erase(state::KeyRange::key(model::network_number_key(observed.value.vni)));
    for (const auto& group : TRY(all_records<model::SecurityGroup>(call))) {
      if (group.vpc != id) continue;
      change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kSecurityGroup, group.id.text(), "")));
    }
    const model::RouteTableId main(id.value());
    const auto table = TRY(control::read<model::RouteTable>(call.store, model::desired_key(main)));
    if (table.exists()) erase_record(change, model::desired_key(main), table.revision);
    if (vpc.value.is_default) change.put(default_network_key(call), "none");
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_vpcs(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Vpc>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  auto vpcs = TRY(chosen_records<Vpc>(call, "VpcId"));
  std::erase_if(vpcs, [&](const Vpc& vpc) { return !filters.pass(vpc); });
  pugi::xml_node set = add(answer, "vpcSet");
  write_page(
      page, vpcs, answer, [](const Vpc& vpc) { return vpc.id.text(); },
      [&](const Vpc& vpc) { write_vpc(add_item(set), vpc); });
  return {};
}

}  // namespace pileus::ec2
