// Names of guests, for the name server that they ask.
#pragma once

#include <optional>
#include <string>

#include "vswitch/config.h"

namespace pileus::vswitch {

struct NameAnswer {
  bool ours = false;  // in the network's own domain: nobody else is to be asked
  std::optional<Ipv4Address> address;
};

// "ip-10-0-0-1" in the network's domain, or a port's host name there; lower case.
NameAnswer look_up(const Config& config, u32 network, const std::string& name);

}  // namespace pileus::vswitch
