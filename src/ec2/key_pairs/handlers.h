// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> create_key_pair(Call& call, pugi::xml_node answer);
Reply<> import_key_pair(Call& call, pugi::xml_node answer);
Reply<> delete_key_pair(Call& call, pugi::xml_node answer);
Reply<> describe_key_pairs(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
