// Types of instances, for other groups of actions.
#pragma once

#include "ec2/call.h"

namespace pileus::ec2 {

Reply<std::vector<model::InstanceType>> instance_types(const Call& call);
// InvalidParameterValue for one that is not offered.
Reply<model::InstanceType> offered_type(const Call& call, const std::string& name);

}  // namespace pileus::ec2
