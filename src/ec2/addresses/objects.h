// Elastic addresses as this group works with them.
#pragma once

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

using Address = control::Stored<model::AddressDesired>;

// By allocation, or by the address itself. InvalidAllocationID.NotFound, InvalidAddress.NotFound, MissingParameter.
Reply<Address> find_address(const Call& call, const std::string& allocation, const std::string& public_address);

}  // namespace pileus::ec2
