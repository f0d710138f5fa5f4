// clone: a copy of an instance, from the wish to the login.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/instance_json.h"
#include "cloud/reach.h"
#include "http/certificates.h"
#include "interrupt.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

// Its disks may have to be read through, and fetched by another host.
constexpr std::chrono::seconds kCopyPatience{900};
constexpr std::chrono::seconds kBootPatience{600};

}  // namespace

Result<int> cloud_clone(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo source = TRY(find_instance(cloud, line.name));
  const CloudOptions& options = line.cloud;
  const std::string name = options.name.empty() ? TRY(unused_name(cloud, source.label())) : options.name;
  client::Parameters request = with_options(line, {{"InstanceId", source.id},
                                                   {"Count", std::to_string(options.count)},
                                                   {"TagSpecification.1.ResourceType", "instance"},
                                                   {"TagSpecification.1.Tag.1.Key", "Name"},
                                                   {"TagSpecification.1.Tag.1.Value", name}});
  request["ClientToken"] = TRY(http::random_hex(16));
  catch_interrupts();
  const client::Answer answer = TRY(cloud.call("PileusCloneInstance", request));
  std::vector<std::string> ids;
  for (const client::Node& node : answer.root.items("instancesSet")) ids.push_back(node.text("instanceId"));
  for (const std::string& id : ids) {
    if (line.json) break;
    if (line.quiet) std::printf("%s\n", id.c_str());
    else std::printf("instance %s (%s), a copy of %s\n", name.c_str(), id.c_str(), source.label().c_str());
  }
  std::fflush(stdout);
  nlohmann::json copies = nlohmann::json::array();
  for (const std::string& id : ids) {
    InstanceInfo copy = TRY(find_instance(cloud, id));
    if (!options.no_wait) {
      copy = TRY(wait_for_state(cloud, copy, "running", kCopyPatience));
      TRY(wait_for_login(library, cloud, copy, kBootPatience));
      if (!line.quiet && !line.json) print_login(library, copy);
    }
    copies.push_back(to_json(copy));
  }
  if (line.json) print_json(copies);
  return 0;
}

}  // namespace pileus::cli
