// Launches, once their plan is made: the same for new instances of an image and for clones.
#pragma once

#include <optional>

#include "ec2/instances/launch_plan.h"
#include "ec2/instances/objects.h"

namespace pileus::ec2 {

// What the request's token was answered before. Asked first: what was free, offered or within the quota then need not be so
// any more, and a repeated request is still to get its answer.
Reply<std::optional<control::Launched>> earlier_launch(const Call& call);

// `entries`: what was launched, for the answer, as it was written.
Reply<control::Launched> launch(const Call& call, LaunchPlan plan, std::vector<InstanceEntry>& entries);

// As RunInstances answers. `entries` are those of a new launch.
Reply<> write_launch(const Call& call, pugi::xml_node answer, const control::Launched& launched,
                     std::vector<InstanceEntry> entries);

}  // namespace pileus::ec2
