// Internet gateways.
#include "ec2/filters.h"
#include "ec2/internal/records.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"
#include "ec2/routes/handlers.h"
#include "ec2/tags/objects.h"

namespace pileus::ec2 {
namespace {

using Gateway = model::InternetGateway;
const model::Tags& tags_of(const Gateway& gateway) { return gateway.tags; }

constexpr Filter<Gateway> kFilters[] = {
    {"internet-gateway-id", [](const Gateway& each) { return Texts{each.id.text()}; }},
    {"owner-id", [](const Gateway& each) { return Texts{each.account.text()}; }},
    {"attachment.vpc-id", [](const Gateway& each) { return each.vpc ? Texts{each.vpc.text()} : Texts(); }},
    {"attachment.state", [](const Gateway& each) { return each.vpc ? Texts{"available"} : Texts(); }},
};

void write_gateway(pugi::xml_node item, const Gateway& gateway) {
  add(item, "internetGatewayId", gateway.id.text());
  add(item, "ownerId", gateway.account.text());
  pugi::xml_node set = add(item, "attachmentSet");
  if (gateway.vpc) {
    pugi::xml_node attachment = add_item(set);
    add(attachment, "vpcId", gateway.vpc.text());
    add(attachment, "state", "available");
  }
  add_tags(item, gateway.tags);
}

}  // namespace

Reply<> create_internet_gateway(Call& call, pugi::xml_node answer) {
  Gateway gateway;
  gateway.id = model::InternetGatewayId::random();
  gateway.account = call.account.id;
  gateway.tags = TRY(tags_for(call.parameters, "internet-gateway"));
  control::Change change;
  change.update(model::desired_key(gateway.id), gateway, 0);
  TRY(change.commit(call.store));
  write_gateway(add(answer, "internetGateway"), gateway);
  return {};
}

Reply<> delete_internet_gateway(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const auto gateway = TRY(find_record<Gateway>(call, call.parameters.get("InternetGatewayId")));
    if (gateway.value.vpc) {
      return ApiError("DependencyViolation", "The internetGateway '" + gateway.value.id.text() +
                                                 "' has dependencies and cannot be deleted: it is attached to " +
                                                 gateway.value.vpc.text());
    }
    control::Change change;
    change.expect(model::desired_key(gateway.value.id), gateway.revision);
    change.erase(state::KeyRange::key(model::desired_key(gateway.value.id)));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> attach_internet_gateway(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    auto gateway = TRY(find_record<Gateway>(call, call.parameters.get("InternetGatewayId")));
    const auto vpc = TRY(find_record<model::VpcDesired>(call, call.parameters.get("VpcId"))).value;
    // Of those that are attached at once, one is.
    const auto turn = TRY(call.store.get(model::network_turn_key(vpc.id)));
    if (gateway.value.vpc) {
      return ApiError("Resource.AlreadyAssociated", "resource " + gateway.value.id.text() +
                                                        " is already attached to network " + gateway.value.vpc.text());
    }
    for (const Gateway& other : TRY(all_records<Gateway>(call))) {
      if (other.vpc != vpc.id) continue;
      return ApiError("InvalidParameterValue",
                      "Network " + vpc.id.text() + " already has an internet gateway attached");
    }
    gateway.value.vpc = vpc.id;
    control::Change change;
    change.expect(model::network_turn_key(vpc.id), turn ? turn->mod_revision : 0);
    enter_vpc(change, vpc.id);
    change.update(model::desired_key(gateway.value.id), gateway.value, gateway.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> detach_internet_gateway(Call& call, pugi::xml_node answer) {
  const auto vpc = TRY(find_record<model::VpcDesired>(call, call.parameters.get("VpcId"))).value;
  TRY(change_record<Gateway>(call, call.parameters.get("InternetGatewayId"), [&](Gateway& gateway) -> Reply<> {
    if (gateway.vpc != vpc.id) {
      return ApiError("Gateway.NotAttached",
                      "resource " + gateway.id.text() + " is not attached to network " + vpc.id.text());
    }
    gateway.vpc = {};
    return {};
  }));
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_internet_gateways(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Gateway>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  auto gateways = TRY(chosen_records<Gateway>(call, "InternetGatewayId"));
  std::erase_if(gateways, [&](const Gateway& each) { return !filters.pass(each); });
  pugi::xml_node set = add(answer, "internetGatewaySet");
  write_page(
      page, gateways, answer, [](const Gateway& each) { return each.id.text(); },
      [&](const Gateway& each) { write_gateway(add_item(set), each); });
  return {};
}

}  // namespace pileus::ec2
