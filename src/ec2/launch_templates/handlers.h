// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// templates.cc
Reply<> create_launch_template(Call& call, pugi::xml_node answer);
Reply<> delete_launch_template(Call& call, pugi::xml_node answer);
Reply<> modify_launch_template(Call& call, pugi::xml_node answer);
Reply<> describe_launch_templates(Call& call, pugi::xml_node answer);
// versions.cc
Reply<> create_launch_template_version(Call& call, pugi::xml_node answer);
Reply<> delete_launch_template_versions(Call& call, pugi::xml_node answer);
Reply<> describe_launch_template_versions(Call& call, pugi::xml_node answer);
// instance_data.cc
Reply<> get_launch_template_data(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
