// What an instance reads about itself at 169.254.169.254.
#pragma once

#include <string>

#include "control/host_protocol.h"
#include "control/network_protocol.h"
#include "vswitch/config.h"

namespace pileus::host {

// A name as EC2 gives it: ip-172-31-5-6; the id when there is no address.
std::string host_name(const std::string& private_address, model::InstanceId id);

// `public_address`: "127.77.0.5", perhaps with a port; empty: none.
vswitch::Metadata metadata_of(const control::Assignment& assignment, const control::HostNetwork& network,
                              const control::NetworkPort& port, const std::string& public_address);

}  // namespace pileus::host
