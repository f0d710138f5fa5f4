// The VXLAN network identifier of each VPC: 24 bits, no two alike, the same for the VPC's life.
#pragma once

#include "control/records.h"
#include "model/network.h"

namespace pileus::control {

// Gives the VPC a number if it has none yet. kExhausted when no free one was found.
Result<u32> network_number(state::Store& store, model::VpcId vpc);

}  // namespace pileus::control
