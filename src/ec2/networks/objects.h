// Networks, for other groups of actions.
#pragma once

#include <map>
#include <pugixml.hpp>

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

// default_network.cc: the account's default network with its subnets and its group "default".
struct DefaultNetwork {
  model::VpcId vpc;
  model::SecurityGroupId group;
};
// Made when the account never had one. VPCIdNotSpecified when it was deleted.
Reply<DefaultNetwork> default_network(const Call& call);
// The same for who can do without.
Reply<> ensure_default_network(const Call& call);

std::string default_network_key(const Call& call);

// The group "default" of any network.
inline constexpr const char* kDefaultGroup = "default";
Reply<model::SecurityGroupId> default_group(const Call& call, model::VpcId vpc);

// vpcs.cc
void write_vpc(pugi::xml_node item, const model::VpcDesired& vpc);
// A VPC with its group "default".
void add_vpc(control::Change& change, const model::VpcDesired& vpc, model::SecurityGroupId group);
// To be part of the transaction that makes something inside of the network: it fails when the network is being deleted, and
// its deletion when this is quicker.
void enter_vpc(control::Change& change, model::VpcId vpc);

// subnets.cc
void write_subnet(pugi::xml_node item, const Call& call, const model::SubnetDesired& subnet, i64 free);
Reply<i64> count_free_addresses(const Call& call, const model::SubnetDesired& subnet);
// To be part of the transaction that takes an address of the subnet: it fails when the subnet is being deleted.
void enter_subnet(control::Change& change, model::SubnetId subnet);

// Which network each of the account's subnets is in.
using VpcOfSubnet = std::map<model::SubnetId, model::VpcId>;
Reply<VpcOfSubnet> vpcs_of_subnets(const Call& call);

ApiError no_ipv6();

// The ids of what each network has without a record of its own.
std::string dhcp_options_id(const model::AccountId& account);
std::string network_acl_id(model::VpcId vpc);

}  // namespace pileus::ec2
