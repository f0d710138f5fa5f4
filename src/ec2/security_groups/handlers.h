// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// groups.cc
Reply<> create_security_group(Call& call, pugi::xml_node answer);
Reply<> delete_security_group(Call& call, pugi::xml_node answer);
Reply<> describe_security_groups(Call& call, pugi::xml_node answer);
Reply<> describe_security_group_rules(Call& call, pugi::xml_node answer);
// change_rules.cc
Reply<> authorize_ingress(Call& call, pugi::xml_node answer);
Reply<> authorize_egress(Call& call, pugi::xml_node answer);
Reply<> revoke_ingress(Call& call, pugi::xml_node answer);
Reply<> revoke_egress(Call& call, pugi::xml_node answer);
Reply<> modify_security_group_rules(Call& call, pugi::xml_node answer);
Reply<> describe_rules_ingress(Call& call, pugi::xml_node answer);
Reply<> describe_rules_egress(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
