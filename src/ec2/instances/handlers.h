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
Reply<> describe_instance_credit_specifications(Call& call, pugi::xml_node answer);
Reply<> get_console_output(Call& call, pugi::xml_node answer);
// modify.cc
Reply<> modify_instance_attribute(Call& call, pugi::xml_node answer);
Reply<> reset_instance_attribute(Call& call, pugi::xml_node answer);
// options.cc
Reply<> modify_instance_metadata_options(Call& call, pugi::xml_node answer);
Reply<> modify_instance_maintenance_options(Call& call, pugi::xml_node answer);
Reply<> modify_instance_credit_specification(Call& call, pugi::xml_node answer);
Reply<> monitor_instances(Call& call, pugi::xml_node answer);
Reply<> unmonitor_instances(Call& call, pugi::xml_node answer);
Reply<> get_password_data(Call& call, pugi::xml_node answer);
Reply<> describe_iam_instance_profile_associations(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
