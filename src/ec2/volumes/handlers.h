// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// create.cc
Reply<> create_volume(Call& call, pugi::xml_node answer);
Reply<> delete_volume(Call& call, pugi::xml_node answer);
// attach.cc
Reply<> attach_volume(Call& call, pugi::xml_node answer);
Reply<> detach_volume(Call& call, pugi::xml_node answer);
// describe.cc
Reply<> describe_volumes(Call& call, pugi::xml_node answer);
Reply<> describe_volume_status(Call& call, pugi::xml_node answer);
Reply<> describe_volume_attribute(Call& call, pugi::xml_node answer);
// modify.cc
Reply<> modify_volume(Call& call, pugi::xml_node answer);
Reply<> describe_volumes_modifications(Call& call, pugi::xml_node answer);
// encryption.cc
Reply<> get_ebs_encryption_by_default(Call& call, pugi::xml_node answer);
Reply<> enable_ebs_encryption_by_default(Call& call, pugi::xml_node answer);
Reply<> disable_ebs_encryption_by_default(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
