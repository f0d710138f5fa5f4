// An instance as another one is now: its disks are copies at one moment, which share what neither has changed since.
#include "ec2/instances/clone_plan.h"
#include "ec2/instances/launching.h"
#include "ec2/internal/once.h"
#include "ec2/own/handlers.h"

namespace pileus::ec2 {

Reply<> pileus_clone_instance(Call& call, pugi::xml_node answer) {
  std::optional<control::Launched> launched = TRY(earlier_launch(call));
  std::vector<InstanceEntry> entries;
  if (!launched) {
    LaunchPlan plan = TRY(make_clone_plan(call));
    plan.request.parameters = request_digest(call.parameters);
    launched = TRY(launch(call, std::move(plan), entries));
  }
  return write_launch(call, answer, *launched, std::move(entries));
}

}  // namespace pileus::ec2
