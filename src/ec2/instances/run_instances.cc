// RunInstances: everything is checked, then desired instances with their interfaces and addresses appear together.
#include "ec2/instances/handlers.h"
#include "ec2/instances/launching.h"
#include "ec2/internal/once.h"
#include "ec2/launch_templates/objects.h"

namespace pileus::ec2 {

Reply<> run_instances(Call& call, pugi::xml_node answer) {
  std::optional<control::Launched> launched = TRY(earlier_launch(call));
  std::vector<InstanceEntry> entries;
  if (!launched) {
    const LaunchParameters merged = TRY(launch_parameters(call));
    const Call whole{call.store,    call.clock,   call.catalogue,  call.accounts,
                     call.settings, call.account, call.access_key, merged.parameters};
    LaunchPlan plan = TRY(make_launch_plan(whole));
    plan.request.parameters = request_digest(call.parameters);
    plan.request.prototype.template_id = merged.template_id;
    plan.request.prototype.template_version = merged.template_version;
    launched = TRY(launch(call, std::move(plan), entries));
  }
  return write_launch(call, answer, *launched, std::move(entries));
}

}  // namespace pileus::ec2
