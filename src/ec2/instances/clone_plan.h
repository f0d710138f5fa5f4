// What a clone is to be: as its source is, but for what the request says. Its disks begin as snapshots that are taken for
// it alone, in the transaction that makes it.
#pragma once

#include "ec2/instances/launch_plan.h"

namespace pileus::ec2 {

// Of the instance InstanceId, which runs or is stopped.
Reply<LaunchPlan> make_clone_plan(const Call& call);

}  // namespace pileus::ec2
