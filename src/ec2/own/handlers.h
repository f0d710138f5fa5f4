// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> pileus_describe_hosts(Call& call, pugi::xml_node answer);
Reply<> pileus_set_host_mode(Call& call, pugi::xml_node answer);
Reply<> pileus_modify_host(Call& call, pugi::xml_node answer);
Reply<> pileus_set_instance_type(Call& call, pugi::xml_node answer);
Reply<> pileus_withdraw_instance_type(Call& call, pugi::xml_node answer);
Reply<> pileus_create_join_token(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_join_tokens(Call& call, pugi::xml_node answer);
Reply<> pileus_revoke_join_token(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_events(Call& call, pugi::xml_node answer);
Reply<> pileus_explain(Call& call, pugi::xml_node answer);
Reply<> pileus_clone_instance(Call& call, pugi::xml_node answer);
Reply<> pileus_migrate_instance(Call& call, pugi::xml_node answer);
Reply<> pileus_create_account(Call& call, pugi::xml_node answer);
Reply<> pileus_describe_accounts(Call& call, pugi::xml_node answer);
Reply<> pileus_modify_account(Call& call, pugi::xml_node answer);
Reply<> pileus_create_access_key(Call& call, pugi::xml_node answer);
Reply<> pileus_delete_access_key(Call& call, pugi::xml_node answer);

// InvalidHostID.Malformed, InvalidHostID.NotFound.
Reply<model::HostId> parse_host(const std::string& text);

}  // namespace pileus::ec2
