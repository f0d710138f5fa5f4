// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

Reply<> pileus_open_events(Call& call, pugi::xml_node answer);
Reply<> pileus_open_console(Call& call, pugi::xml_node answer);
Reply<> pileus_send_console_input(Call& call, pugi::xml_node answer);
Reply<> pileus_get_metrics(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
