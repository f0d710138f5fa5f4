// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// create.cc
Reply<> create_snapshot(Call& call, pugi::xml_node answer);
Reply<> create_snapshots(Call& call, pugi::xml_node answer);
Reply<> copy_snapshot(Call& call, pugi::xml_node answer);
Reply<> delete_snapshot(Call& call, pugi::xml_node answer);
// describe.cc
Reply<> describe_snapshots(Call& call, pugi::xml_node answer);
// attributes.cc
Reply<> describe_snapshot_attribute(Call& call, pugi::xml_node answer);
Reply<> modify_snapshot_attribute(Call& call, pugi::xml_node answer);
Reply<> reset_snapshot_attribute(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
