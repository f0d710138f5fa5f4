// Network interfaces, for other groups of actions.
#pragma once

#include <map>
#include <pugixml.hpp>

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

// What is shown of interfaces besides their records: looked up once for an answer.
struct InterfaceNames {
  std::map<model::SecurityGroupId, std::string> groups;
  std::map<model::SubnetId, model::SubnetDesired> subnets;
  std::map<model::PlacementGroupId, std::string> placement_groups;  // of instances

  std::string vpc_of(model::SubnetId subnet) const;
};
Reply<InterfaceNames> interface_names(const Call& call);
// `public_address`: that its instance is reached at; empty: none.
void write_interface(pugi::xml_node item, const model::InterfaceDesired& interface, const InterfaceNames& names,
                     const std::string& public_address);

// "eni-attach-..."
std::string attachment_id(model::InterfaceId id);
// "ip-10-0-0-1.internal"
std::string private_dns_name(const std::string& address);

// A new one with addresses of its own, not attached.
model::InterfaceDesired new_interface(const model::SubnetDesired& subnet, std::string address,
                                      std::vector<model::SecurityGroupId> groups);
// To be part of the transaction that makes it: the record and the claims of its addresses.
void add_interface(control::Change& change, const model::InterfaceDesired& interface);

// The groups by these ids, which all have to be of the network; its group "default" if there are none.
// InvalidGroup.NotFound, InvalidParameter.
Reply<std::vector<model::SecurityGroupId>> groups_in(const Call& call, model::VpcId vpc,
                                                     const std::vector<std::string>& ids);

// Gives an interface other groups, and its instance, in one transaction.
Reply<> set_groups(const Call& call, model::InterfaceId interface, const std::vector<std::string>& ids);

}  // namespace pileus::ec2
