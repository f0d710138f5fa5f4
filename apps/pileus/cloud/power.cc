// stop, start, reboot, rm.
#include "cloud/commands.h"
#include "cloud/session.h"
#include "interrupt.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::seconds kPatience{180};

// The action for all that are named, and then, unless it is not wanted, the state that it leads to.
Result<int> change(image::Library& library, const CommandLine& line, const std::string& action,
                   const std::string& state) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<InstanceInfo> instances;
  client::Parameters request;
  for (const std::string& name : line.cloud.names) {
    instances.push_back(TRY(find_instance(cloud, name)));
    request["InstanceId." + std::to_string(instances.size())] = instances.back().id;
  }
  catch_interrupts();
  TRY(cloud.call(action, request));
  if (line.cloud.no_wait || state.empty()) return 0;
  for (const InstanceInfo& instance : instances) TRY(wait_for_state(cloud, instance, state, kPatience));
  return 0;
}

}  // namespace

Result<int> cloud_stop(image::Library& library, const CommandLine& line) {
  return change(library, line, "StopInstances", "stopped");
}
Result<int> cloud_start(image::Library& library, const CommandLine& line) {
  return change(library, line, "StartInstances", "running");
}
Result<int> cloud_reboot(image::Library& library, const CommandLine& line) {
  return change(library, line, "RebootInstances", "");
}
Result<int> cloud_remove(image::Library& library, const CommandLine& line) {
  return change(library, line, "TerminateInstances", "terminated");
}

}  // namespace pileus::cli
