// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> pileus_describe_hosts(Call& call, pugi::xml_node answer);
Reply<> pileus_set_host_mode(Call& call, pugi::xml_node answer);
Reply<> pileus_create_join_token(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_join_tokens(Call& call, pugi::xml_node answer);
Reply<> pileus_revoke_join_token(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_events(Call& call, pugi::xml_node answer);
Reply<> pileus_explain(Call& call, pugi::xml_node answer);
Reply<> pileus_create_account(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_accounts(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
