// What a launch is to make, checked: everything that can be wrong with a request is found before anything is written.
#pragma once

#include "control/launch.h"
#include "ec2/call.h"
#include "ec2/instances/launch_disks.h"
#include "ec2/instances/objects.h"
#include "model/network.h"

namespace pileus::ec2 {

struct LaunchPlan {
  control::LaunchRequest request;
  u32 least = 1;
  u32 most = 1;
  model::SubnetDesired subnet;
  model::InterfaceDesired interface;  // what each gets; with an id: it is there already, and there is one instance
  state::Revision interface_revision = 0;
  std::vector<LaunchDisk> disks;  // the root's first
  // Adds records that are to appear together with all of them; may be left out.
  std::function<void(control::Change&, const std::vector<InstanceEntry>&)> beside;
};

// The network interface of the plan, by the parameters of `call`.
Reply<> choose_interface(const Call& call, LaunchPlan& plan);

// By the parameters of `call`, with those of a launch template in them.
Reply<LaunchPlan> make_launch_plan(const Call& call);

}  // namespace pileus::ec2
