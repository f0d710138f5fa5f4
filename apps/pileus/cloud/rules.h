// Rules of security groups as people write them: "80", "22@10.0.0.0/8".
#pragma once

#include <string>

#include "client/cloud.h"

namespace pileus::cli {

// Adds IpPermissions.`index` for a TCP port. kInvalid.
Result<> add_rule(client::Parameters& parameters, std::size_t index, const std::string& text);

}  // namespace pileus::cli
