// What the actions do, one function each, by chapter. The table in actions.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// account.cc
Reply<> get_caller_identity(Call& call, pugi::xml_node answer);
Reply<> describe_account_attributes(Call& call, pugi::xml_node answer);
// places.cc
Reply<> describe_regions(Call& call, pugi::xml_node answer);
Reply<> describe_availability_zones(Call& call, pugi::xml_node answer);
// types.cc
Reply<> describe_instance_types(Call& call, pugi::xml_node answer);
Reply<> describe_instance_type_offerings(Call& call, pugi::xml_node answer);
// images.cc
Reply<> describe_images(Call& call, pugi::xml_node answer);
// key_pairs.cc
Reply<> create_key_pair(Call& call, pugi::xml_node answer);
Reply<> import_key_pair(Call& call, pugi::xml_node answer);
Reply<> delete_key_pair(Call& call, pugi::xml_node answer);
Reply<> describe_key_pairs(Call& call, pugi::xml_node answer);
// networks.cc
Reply<> describe_vpcs(Call& call, pugi::xml_node answer);
Reply<> describe_vpc_attribute(Call& call, pugi::xml_node answer);
Reply<> describe_subnets(Call& call, pugi::xml_node answer);
Reply<> describe_network_interfaces(Call& call, pugi::xml_node answer);
Reply<> describe_addresses(Call& call, pugi::xml_node answer);
// security_groups.cc
Reply<> create_security_group(Call& call, pugi::xml_node answer);
Reply<> delete_security_group(Call& call, pugi::xml_node answer);
Reply<> describe_security_groups(Call& call, pugi::xml_node answer);
Reply<> describe_security_group_rules(Call& call, pugi::xml_node answer);
// security_rules.cc
Reply<> authorize_ingress(Call& call, pugi::xml_node answer);
Reply<> authorize_egress(Call& call, pugi::xml_node answer);
Reply<> revoke_ingress(Call& call, pugi::xml_node answer);
Reply<> revoke_egress(Call& call, pugi::xml_node answer);
Reply<> describe_rules_ingress(Call& call, pugi::xml_node answer);
Reply<> describe_rules_egress(Call& call, pugi::xml_node answer);
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
// instance_attributes.cc
Reply<> describe_instance_attribute(Call& call, pugi::xml_node answer);
Reply<> modify_instance_attribute(Call& call, pugi::xml_node answer);
Reply<> describe_instance_credit_specifications(Call& call, pugi::xml_node answer);
Reply<> get_console_output(Call& call, pugi::xml_node answer);
// tags.cc
Reply<> create_tags(Call& call, pugi::xml_node answer);
Reply<> delete_tags(Call& call, pugi::xml_node answer);
Reply<> describe_tags(Call& call, pugi::xml_node answer);
// volumes.cc
Reply<> describe_volumes(Call& call, pugi::xml_node answer);
// administration.cc
Reply<> pileus_describe_hosts(Call& call, pugi::xml_node answer);
Reply<> pileus_set_host_mode(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_events(Call& call, pugi::xml_node answer);
Reply<> pileus_explain(Call& call, pugi::xml_node answer);
Reply<> pileus_create_account(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_accounts(Call& call, pugi::xml_node answer);
// live.cc
Reply<> pileus_open_events(Call& call, pugi::xml_node answer);
Reply<> pileus_open_console(Call& call, pugi::xml_node answer);
Reply<> pileus_send_console_input(Call& call, pugi::xml_node answer);
Reply<> pileus_get_metrics(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
