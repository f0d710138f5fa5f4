// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> describe_regions(Call& call, pugi::xml_node answer);
Reply<> describe_availability_zones(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
