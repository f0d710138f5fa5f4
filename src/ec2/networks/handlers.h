// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> describe_vpcs(Call& call, pugi::xml_node answer);
Reply<> describe_vpc_attribute(Call& call, pugi::xml_node answer);
Reply<> describe_subnets(Call& call, pugi::xml_node answer);
Reply<> describe_network_interfaces(Call& call, pugi::xml_node answer);
Reply<> describe_addresses(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
