// Networks, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

// The account's default network with its subnets and its group "default"; made when there is none.
struct DefaultNetwork {
  model::VpcId vpc;
  model::SecurityGroupId group;
};
Reply<DefaultNetwork> default_network(const Call& call);

}  // namespace pileus::ec2
