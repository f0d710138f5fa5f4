// Addresses of subnets: each that is taken is a key of its own, so no two can take the same.
#pragma once

#include <string>
#include <vector>

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

// Free ones, as of now. InsufficientFreeAddressesInSubnet.
Reply<std::vector<std::string>> choose_addresses(const Call& call, const model::SubnetDesired& subnet,
                                                 std::size_t count);
// One that was asked for: of the subnet and not reserved. InvalidParameterValue, and InvalidIPAddress.InUse when it is taken.
Reply<std::string> choose_address(const Call& call, const model::SubnetDesired& subnet, const std::string& text);
// To be part of a transaction, which fails when somebody else has it.
void claim_address(control::Change& change, model::SubnetId subnet, const std::string& address,
                   model::InterfaceId interface);

}  // namespace pileus::ec2
