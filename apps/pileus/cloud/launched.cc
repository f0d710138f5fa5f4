#include "cloud/launched.h"

#include <cstdio>

#include "cloud/instance_json.h"
#include "cloud/reach.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::seconds kBootPatience{600};

}  // namespace

Result<int> follow_launch(image::Library& library, const client::Cloud& cloud, const CommandLine& line,
                          const client::Answer& answer, const Launched& launched) {
  std::vector<std::string> ids;
  for (const client::Node& node : answer.root.items("instancesSet")) ids.push_back(node.text("instanceId"));
  for (const std::string& id : ids) {
    if (line.json) break;
    if (line.quiet) std::printf("%s\n", id.c_str());
    else std::printf("instance %s (%s)%s\n", launched.name.c_str(), id.c_str(), launched.note.c_str());
  }
  std::fflush(stdout);
  nlohmann::json instances = nlohmann::json::array();
  for (const std::string& id : ids) {
    InstanceInfo instance = TRY(find_instance(cloud, id));
    if (!line.cloud.no_wait) {
      instance = TRY(wait_for_state(cloud, instance, "running", launched.patience));
      TRY(wait_for_login(library, cloud, instance, kBootPatience));
      if (!line.quiet && !line.json) print_login(library, instance);
    }
    instances.push_back(to_json(instance));
  }
  if (line.json) print_json(instances);
  return 0;
}

}  // namespace pileus::cli
