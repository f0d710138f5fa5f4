// clone: a copy of an instance, from the wish to the login.
#include "cloud/commands.h"
#include "cloud/launched.h"
#include "http/certificates.h"
#include "interrupt.h"

namespace pileus::cli {
namespace {

// Its disks may have to be read through, and fetched by another host.
constexpr std::chrono::seconds kCopyPatience{900};

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
  return follow_launch(library, cloud, line, answer, {name, ", a copy of " + source.label(), kCopyPatience});
}

}  // namespace pileus::cli
