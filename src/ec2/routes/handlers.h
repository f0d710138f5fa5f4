// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// internet_gateways.cc
Reply<> create_internet_gateway(Call& call, pugi::xml_node answer);
Reply<> delete_internet_gateway(Call& call, pugi::xml_node answer);
Reply<> attach_internet_gateway(Call& call, pugi::xml_node answer);
Reply<> detach_internet_gateway(Call& call, pugi::xml_node answer);
Reply<> describe_internet_gateways(Call& call, pugi::xml_node answer);
// route_tables.cc
Reply<> create_route_table(Call& call, pugi::xml_node answer);
Reply<> delete_route_table(Call& call, pugi::xml_node answer);
Reply<> describe_route_tables(Call& call, pugi::xml_node answer);
// associations.cc
Reply<> associate_route_table(Call& call, pugi::xml_node answer);
Reply<> disassociate_route_table(Call& call, pugi::xml_node answer);
Reply<> replace_route_table_association(Call& call, pugi::xml_node answer);
// routes.cc
Reply<> create_route(Call& call, pugi::xml_node answer);
Reply<> replace_route(Call& call, pugi::xml_node answer);
Reply<> delete_route(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
