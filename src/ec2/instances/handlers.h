// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// run_instances.cc
Reply<> run_instances(Call& call, pugi::xml_node answer);
// describe_instances.cc
Reply<> describe_instances(Call& call, pugi::xml_node answer);
Reply<> describe_instance_status(Call& call, pugi::xml_node answer);
// power.cc
Reply<> start_instances(Call& call, pugi::xml_node answer);
Reply<> stop_instances(Call& call, pugi::xml_node answer);
Reply<> reboot_instances(Call& call, pugi::xml_node answer);
Reply<> terminate_instances(Call& call, pugi::xml_node answer);
// attributes.cc
Reply<> describe_instance_attribute(Call& call, pugi::xml_node answer);
Reply<> modify_instance_attribute(Call& call, pugi::xml_node answer);
Reply<> describe_instance_credit_specifications(Call& call, pugi::xml_node answer);
Reply<> get_console_output(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
