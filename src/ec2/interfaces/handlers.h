// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// describe.cc
Reply<> describe_network_interfaces(Call& call, pugi::xml_node answer);
Reply<> describe_network_interface_attribute(Call& call, pugi::xml_node answer);
// change.cc
Reply<> create_network_interface(Call& call, pugi::xml_node answer);
Reply<> delete_network_interface(Call& call, pugi::xml_node answer);
Reply<> modify_network_interface_attribute(Call& call, pugi::xml_node answer);
Reply<> attach_network_interface(Call& call, pugi::xml_node answer);
Reply<> detach_network_interface(Call& call, pugi::xml_node answer);
// private_addresses.cc
Reply<> assign_private_ip_addresses(Call& call, pugi::xml_node answer);
Reply<> unassign_private_ip_addresses(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
