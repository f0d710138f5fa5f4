// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// vpcs.cc
Reply<> create_vpc(Call& call, pugi::xml_node answer);
Reply<> delete_vpc(Call& call, pugi::xml_node answer);
Reply<> describe_vpcs(Call& call, pugi::xml_node answer);
// vpc_attributes.cc
Reply<> describe_vpc_attribute(Call& call, pugi::xml_node answer);
Reply<> modify_vpc_attribute(Call& call, pugi::xml_node answer);
Reply<> associate_vpc_cidr_block(Call& call, pugi::xml_node answer);
Reply<> disassociate_vpc_cidr_block(Call& call, pugi::xml_node answer);
Reply<> associate_subnet_cidr_block(Call& call, pugi::xml_node answer);
Reply<> disassociate_subnet_cidr_block(Call& call, pugi::xml_node answer);
// subnets.cc
Reply<> create_subnet(Call& call, pugi::xml_node answer);
Reply<> delete_subnet(Call& call, pugi::xml_node answer);
Reply<> modify_subnet_attribute(Call& call, pugi::xml_node answer);
Reply<> describe_subnets(Call& call, pugi::xml_node answer);
// default_network.cc
Reply<> create_default_vpc(Call& call, pugi::xml_node answer);
Reply<> create_default_subnet(Call& call, pugi::xml_node answer);
// implied.cc
Reply<> describe_dhcp_options(Call& call, pugi::xml_node answer);
Reply<> describe_network_acls(Call& call, pugi::xml_node answer);
Reply<> describe_prefix_lists(Call& call, pugi::xml_node answer);
Reply<> describe_vpc_classic_link(Call& call, pugi::xml_node answer);
Reply<> describe_vpc_classic_link_dns_support(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
