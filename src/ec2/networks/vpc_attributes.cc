// Single attributes of virtual networks, and their further blocks of addresses.
#include "ec2/internal/records.h"
#include "ec2/networks/blocks.h"
#include "ec2/networks/handlers.h"
#include "ec2/networks/objects.h"

namespace pileus::ec2 {
namespace {

using Vpc = model::VpcDesired;
constexpr std::size_t kMaxBlocks = 5;

void write_block(pugi::xml_node answer, const std::string& vpc, const model::VpcBlock& block, const char* state) {
  pugi::xml_node node = add(answer, "cidrBlockAssociation");
  add(node, "associationId", block.id.text());
  add(node, "cidrBlock", block.cidr);
  add(add(node, "cidrBlockState"), "state", state);
  add(answer, "vpcId", vpc);
}

ApiError no_association(const std::string& id) {
  return {"InvalidVpcCidrBlockAssociationID.NotFound",
          "The vpc CIDR block association ID '" + id.substr(0, 60) + "' does not exist"};
}

}  // namespace

ApiError no_ipv6() { return {"UnsupportedOperation", "Networks have no IPv6 addresses here"}; }

Reply<> describe_vpc_attribute(Call& call, pugi::xml_node answer) {
  TRY(ensure_default_network(call));
  const Vpc vpc = TRY(find_record<Vpc>(call, call.parameters.get("VpcId"))).value;
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "vpcId", vpc.id.text());
  if (attribute == "enableDnsSupport") {
    add_flag(add(answer, "enableDnsSupport"), "value", vpc.dns_support);
  } else if (attribute == "enableDnsHostnames") {
    add_flag(add(answer, "enableDnsHostnames"), "value", vpc.dns_hostnames);
  } else if (attribute == "enableNetworkAddressUsageMetrics") {
    add_flag(add(answer, "enableNetworkAddressUsageMetrics"), "value", false);
  } else {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid");
  }
  return {};
}

Reply<> modify_vpc_attribute(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  if (TRY(given.boolean("EnableNetworkAddressUsageMetrics.Value", false))) {
    return ApiError("UnsupportedOperation", "There are no metrics of the usage of addresses here");
  }
  const int count = (given.has("EnableDnsSupport.Value") ? 1 : 0) + (given.has("EnableDnsHostnames.Value") ? 1 : 0);
  if (count > 1) return ApiError("InvalidParameterCombination", "Fields for multiple attribute types specified");
  const auto change_it = [&](Vpc& vpc) -> Reply<> {
    vpc.dns_support = TRY(given.boolean("EnableDnsSupport.Value", vpc.dns_support));
    vpc.dns_hostnames = TRY(given.boolean("EnableDnsHostnames.Value", vpc.dns_hostnames));
    return {};
  };
  TRY(change_record<Vpc>(call, given.get("VpcId"), change_it, true));
  add_flag(answer, "return", true);
  return {};
}

Reply<> associate_vpc_cidr_block(Call& call, pugi::xml_node answer) {
  if (!call.parameters.has("CidrBlock")) {
    if (call.parameters.has("AmazonProvidedIpv6CidrBlock") || call.parameters.has("Ipv6CidrBlock")) return no_ipv6();
    return ApiError("MissingParameter", "The request must contain the parameter CidrBlock");
  }
  const packet::Cidr block = TRY(read_block(call.parameters.get("CidrBlock"), "InvalidVpc.Range"));
  const model::VpcBlock made = {model::VpcBlockId::random(), packet::cidr_text(block)};
  TRY(change_record<Vpc>(
      call, call.parameters.get("VpcId"),
      [&](Vpc& vpc) -> Reply<> {
        const std::vector<model::VpcBlock> blocks = blocks_of(vpc);
        for (const model::VpcBlock& each : blocks) {
          if (!overlap(block_of(each.cidr), block)) continue;
          return ApiError("InvalidVpc.Conflict", "The CIDR '" + made.cidr + "' conflicts with " + each.cidr);
        }
        if (blocks.size() >= kMaxBlocks) {
          return ApiError("VpcCidrLimitExceeded", "This network, " + vpc.id.text() + ", has 5 CIDR blocks already");
        }
        vpc.blocks.push_back(made);
        return {};
      },
      true));
  write_block(answer, call.parameters.get("VpcId"), made, "associating");
  return {};
}

Reply<> disassociate_vpc_cidr_block(Call& call, pugi::xml_node answer) {
  const std::string& id = call.parameters.get("AssociationId");
  for (const Vpc& each : TRY(all_records<Vpc>(call))) {
    const auto blocks = blocks_of(each);
    const auto found = std::ranges::find_if(blocks, [&](const auto& block) { return block.id.text() == id; });
    if (found == blocks.end()) continue;
    if (found == blocks.begin()) {
      return ApiError("OperationNotPermitted",
                      "The vpc CIDR block with association ID " + id + " may not be disassociated: it is the primary");
    }
    const auto attempt = [&]() -> Reply<bool> {
      auto vpc = TRY(find_record<Vpc>(call, each.id.text()));
      const auto turn = TRY(call.store.get(model::network_turn_key(each.id)));
      for (const auto& subnet : TRY(all_records<model::SubnetDesired>(call))) {
        if (subnet.vpc != each.id || !contains(block_of(found->cidr), block_of(subnet.cidr))) continue;
        return ApiError("InvalidCidrBlock.InUse",
                        "The vpc CIDR block with association ID " + id + " is used by " + subnet.id.text());
      }
      std::erase_if(vpc.value.blocks, [&](const auto& block) { return block.id == found->id; });
      control::Change change;
      change.expect(model::network_turn_key(each.id), turn ? turn->mod_revision : 0);
      change.update(model::desired_key(each.id), vpc.value, vpc.revision);
      TRY(tell(call, change, each.id, "changed", "without " + found->cidr));
      return TRY(change.commit(call.store)).has_value();
    };
    TRY(retry(attempt));
    write_block(answer, each.id.text(), *found, "disassociating");
    return {};
  }
  return no_association(id);
}

Reply<> associate_subnet_cidr_block(Call& call, pugi::xml_node) {
  TRY(find_record<model::SubnetDesired>(call, call.parameters.get("SubnetId")));
  return no_ipv6();
}

Reply<> disassociate_subnet_cidr_block(Call& call, pugi::xml_node) {
  return ApiError("InvalidSubnetCidrBlockAssociationID.NotFound",
                  "The subnet CIDR block association ID '" + call.parameters.get("AssociationId").substr(0, 60) +
                      "' does not exist");
}

}  // namespace pileus::ec2
