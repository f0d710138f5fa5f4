#include "ec2/instances/launch_plan.h"

#include <algorithm>

#include "ec2/images/objects.h"
#include "ec2/instance_types/objects.h"
#include "ec2/instances/options.h"
#include "ec2/interfaces/objects.h"
#include "ec2/internal/records.h"
#include "ec2/key_pairs/objects.h"
#include "ec2/networks/objects.h"
#include "ec2/networks/subnet_addresses.h"
#include "ec2/placement_groups/objects.h"
#include "ec2/security_groups/objects.h"
#include "ec2/tags/objects.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kUsualType = "t3.micro";

Reply<model::SubnetDesired> choose_subnet(const Call& call, const Parameters& interface) {
  TRY(ensure_default_network(call));
  const std::string& asked = interface.has("SubnetId") ? interface.get("SubnetId") : call.parameters.get("SubnetId");
  const std::string& zone = call.parameters.get("Placement.AvailabilityZone");
  const auto subnets = TRY(call.records<model::SubnetDesired>(model::IdKind::kSubnet));
  if (!asked.empty()) {
    const auto id = TRY(parse_id<model::SubnetId>(asked, "SubnetID"));
    const auto found = std::ranges::find(subnets, id, &model::SubnetDesired::id);
    if (found == subnets.end()) {
      return ApiError("InvalidSubnetID.NotFound", "The subnet ID '" + asked + "' does not exist");
    }
    if (!zone.empty() && zone != found->zone) {
      return ApiError("InvalidParameterCombination", "The subnet '" + asked + "' is in zone " + found->zone);
    }
    return *found;
  }
  const auto in_zone = std::ranges::find_if(subnets, [&](const model::SubnetDesired& subnet) {
    return subnet.default_for_zone && subnet.zone == (zone.empty() ? call.settings.zones.front() : zone);
  });
  if (in_zone != subnets.end()) return *in_zone;
  if (zone.empty() || std::ranges::find(call.settings.zones, zone) != call.settings.zones.end()) {
    return ApiError("MissingInput", "No default subnet for the availability zone: name a SubnetId");
  }
  return ApiError("InvalidParameterValue", "Invalid availability zone: [" + zone.substr(0, 40) + "]");
}

Reply<std::vector<model::SecurityGroupId>> choose_groups(const Call& call, const Parameters& interface,
                                                         model::VpcId vpc) {
  std::vector<std::string> ids = interface.list("SecurityGroupId");
  for (const std::string& id : call.parameters.list("SecurityGroupId")) ids.push_back(id);
  for (const std::string& name : call.parameters.list("SecurityGroup")) {
    ids.push_back(TRY(find_group(call, "", name)).value.id.text());
  }
  return groups_in(call, vpc, ids);
}

// An interface that was made before.
Reply<> take_interface(const Call& call, const Parameters& given, LaunchPlan& plan) {
  const auto found = TRY(find_record<model::InterfaceDesired>(call, given.get("NetworkInterfaceId")));
  plan.interface = found.value;
  plan.interface_revision = found.revision;
  if (plan.most > 1) {
    return ApiError("InvalidParameterCombination", "An interface that exists is for one instance: MaxCount is 1");
  }
  if (plan.interface.instance) {
    return ApiError("InvalidNetworkInterface.InUse", "Interface: [" + plan.interface.id.text() + "] in use.");
  }
  if (given.has("SubnetId") || !given.list("SecurityGroupId").empty() || call.parameters.has("SubnetId") ||
      !call.parameters.list("SecurityGroupId").empty()) {
    return ApiError("InvalidParameterCombination", "An interface that exists has its subnet and its groups");
  }
  const std::string key = model::desired_key(plan.interface.subnet);
  plan.subnet = TRY(control::read<model::SubnetDesired>(call.store, key)).value;
  return {};
}

Reply<> make_interface(const Call& call, const Parameters& given, LaunchPlan& plan) {
  plan.subnet = TRY(choose_subnet(call, given));
  model::InterfaceDesired& interface = plan.interface;
  interface = new_interface(plan.subnet, "", TRY(choose_groups(call, given, plan.subnet.vpc)));
  interface.id = {};
  const std::string& asked =
      given.has("PrivateIpAddress") ? given.get("PrivateIpAddress") : call.parameters.get("PrivateIpAddress");
  if (!asked.empty() && plan.most > 1) {
    return ApiError("InvalidParameterCombination", "A private address is for one instance: MaxCount is 1");
  }
  if (!asked.empty()) interface.private_address = TRY(choose_address(call, plan.subnet, asked));
  interface.wants_public = TRY(given.boolean("AssociatePublicIpAddress", interface.wants_public));
  interface.delete_on_termination = TRY(given.boolean("DeleteOnTermination", true));
  interface.description = given.get("Description");
  interface.tags = TRY(tags_for(call.parameters, "network-interface"));
  return {};
}

Reply<> choose_group(const Call& call, model::PlacementWish& wish) {
  const Parameters& given = call.parameters;
  const std::string& id = given.get("Placement.GroupId");
  const std::string& name = given.get("Placement.GroupName");
  if (id.empty() && name.empty()) return {};
  const model::PlacementGroup group = id.empty() ? TRY(find_placement_group(call, name)).value
                                                 : TRY(find_record<model::PlacementGroup>(call, id)).value;
  const i64 partition = TRY(given.integer("Placement.PartitionNumber", 0));
  if (partition < 0 || partition > group.partitions) {
    return ApiError("InvalidParameterValue",
                    "The group '" + group.name + "' has " + std::to_string(group.partitions) + " partitions");
  }
  wish.group = group.id;
  wish.partition = static_cast<u32>(partition);
  return {};
}

// What can be changed afterwards too.
Reply<> choose_options(const Parameters& given, model::InstanceDesired& desired) {
  if (TRY(given.bytes("UserData")).size() > kMaxUserData) {
    return ApiError("InvalidParameterValue", "User data is limited to 16384 bytes");
  }
  desired.user_data = given.get("UserData");
  desired.termination_protected = TRY(given.boolean("DisableApiTermination", false));
  desired.stop_protected = TRY(given.boolean("DisableApiStop", false));
  desired.monitored = TRY(given.boolean("Monitoring.Enabled", false));
  TRY(read_metadata_options(given.below("MetadataOptions"), desired.metadata));
  if (given.has("InstanceInitiatedShutdownBehavior")) {
    desired.terminate_on_shutdown = TRY(terminates_on_shutdown(given.get("InstanceInitiatedShutdownBehavior")));
  }
  if (given.has("CreditSpecification.CpuCredits")) {
    desired.cpu_credits = TRY(read_credits(given.get("CreditSpecification.CpuCredits")));
  }
  if (given.has("MaintenanceOptions.AutoRecovery")) {
    desired.recovers = TRY(read_recovery(given.get("MaintenanceOptions.AutoRecovery")));
  }
  desired.tags = TRY(tags_for(given, "instance"));
  return {};
}

Reply<> plan_disks(const Call& call, const Image& image, LaunchPlan& plan) {
  model::Resources& takes = plan.request.prototype.takes;
  plan.disks = TRY(choose_disks(call, image, takes.disk_gib));
  takes.disk_gib = total_gib(plan.disks);
  const u32 fit = most_at_once(plan.disks);
  if (plan.least > fit) {
    return ApiError("InvalidParameterValue", "One request launches at most " + std::to_string(fit) +
                                                 " instances with that many volumes: ask several times for more");
  }
  plan.most = std::min(plan.most, fit);
  return {};
}

}  // namespace

Reply<> choose_interface(const Call& call, LaunchPlan& plan) {
  const std::vector<Parameters> given = call.parameters.structures("NetworkInterface");
  if (given.size() > 1) return ApiError("UnsupportedOperation", "An instance has one network interface");
  const Parameters interface = given.empty() ? Parameters() : given[0];
  if (TRY(interface.integer("DeviceIndex", 0)) != 0) {
    return ApiError("InvalidParameterValue", "The interface of an instance is at device index 0");
  }
  if (interface.has("NetworkInterfaceId")) TRY(take_interface(call, interface, plan));
  else TRY(make_interface(call, interface, plan));
  return {};
}

Reply<LaunchPlan> make_launch_plan(const Call& call) {
  const Parameters& parameters = call.parameters;
  const i64 least = TRY(parameters.integer("MinCount", 1));
  const i64 most = TRY(parameters.integer("MaxCount", 1));
  if (least < 1 || most < least) {
    return ApiError("InvalidParameterValue", "MinCount is at least 1, and MaxCount not less than MinCount");
  }
  if (least > control::kMaxLaunch) {
    return ApiError("InvalidParameterValue", "One request launches at most " + std::to_string(control::kMaxLaunch) +
                                                 " instances: ask several times for more");
  }
  LaunchPlan plan;
  plan.least = static_cast<u32>(least);
  plan.most = static_cast<u32>(std::min<i64>(most, control::kMaxLaunch));
  model::InstanceDesired& desired = plan.request.prototype;
  desired.account = call.account.id;
  desired.client_token = parameters.get("ClientToken");

  if (!parameters.has("ImageId")) {
    return ApiError("MissingParameter", "The request must contain the parameter ImageId");
  }
  const Image image = TRY(launchable_image(call, parameters.get("ImageId")));
  TRY(check_some_host_has(call, image));
  desired.image = image.desired.id;
  desired.type = parameters.has("InstanceType") ? parameters.get("InstanceType") : std::string(kUsualType);
  desired.takes = TRY(offered_type(call, desired.type)).takes;
  TRY(plan_disks(call, image, plan));
  if (parameters.has("KeyName")) desired.key_name = TRY(find_key_pair(call, parameters.get("KeyName"))).name;

  TRY(choose_interface(call, plan));
  desired.subnet = plan.subnet.id;
  desired.wish.zone = plan.subnet.zone;
  desired.security_groups = plan.interface.security_groups;
  TRY(choose_group(call, desired.wish));
  if (parameters.has("Placement.HostId")) {
    desired.wish.host = TRY(parse_id<model::HostId>(parameters.get("Placement.HostId"), "HostID"));
  }
  TRY(choose_options(parameters, desired));
  return plan;
}

}  // namespace pileus::ec2
