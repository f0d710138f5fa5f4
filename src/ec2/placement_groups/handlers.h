// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> create_placement_group(Call& call, pugi::xml_node answer);
Reply<> delete_placement_group(Call& call, pugi::xml_node answer);
Reply<> describe_placement_groups(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
