// The cloud's records of networks as the virtual switch has them.
#pragma once

#include "control/network_protocol.h"
#include "vswitch/config.h"

namespace pileus::host {

// All give kCorrupt for text that cannot be read.
Result<vswitch::Port> switch_port(const control::NetworkPort& port);  // without what only this host knows
Result<vswitch::Group> switch_group(const control::NetworkGroup& group);
Result<vswitch::Remote> switch_remote(const control::RemoteGuest& guest);
// "10.0.0.2:4789"
std::optional<vswitch::Endpoint> parse_endpoint(std::string_view text);

}  // namespace pileus::host
