// Security groups, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

// InvalidGroup.NotFound, InvalidGroupId.Malformed. By id, or by name in the default network.
Reply<control::Stored<model::SecurityGroup>> find_group(const Call& call, const std::string& id,
                                                        const std::string& name);

}  // namespace pileus::ec2
