// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// addresses.cc
Reply<> allocate_address(Call& call, pugi::xml_node answer);
Reply<> release_address(Call& call, pugi::xml_node answer);
Reply<> describe_addresses(Call& call, pugi::xml_node answer);
Reply<> describe_addresses_attribute(Call& call, pugi::xml_node answer);
// associations.cc
Reply<> associate_address(Call& call, pugi::xml_node answer);
Reply<> disassociate_address(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
