// Placement groups, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/account.h"

namespace pileus::ec2 {

// By its name. InvalidPlacementGroup.Unknown.
Reply<control::Stored<model::PlacementGroup>> find_placement_group(const Call& call, const std::string& name);

}  // namespace pileus::ec2
