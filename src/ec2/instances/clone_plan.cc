#include "ec2/instances/clone_plan.h"

#include <algorithm>

#include "ec2/instance_types/objects.h"
#include "ec2/instances/options.h"
#include "ec2/key_pairs/objects.h"
#include "ec2/tags/objects.h"
#include "ec2/volumes/block_devices.h"

namespace pileus::ec2 {
namespace {

// Running or stopped: else its disks are not there yet, or not any more.
Reply<InstanceEntry> find_source(const Call& call) {
  InstanceEntry source = TRY(find_instance(call, call.parameters.get("InstanceId")));
  using enum model::InstanceState;
  if (source.observed.state == kRunning || source.observed.state == kStopped) return source;
  return ApiError("IncorrectInstanceState", "The instance '" + source.desired.id.text() +
                                                "' is not in a state from which it can be cloned: it is " +
                                                std::string(model::name(source.observed.state)));
}

// The parameters of a new network interface: those of the source, where the request does not say otherwise.
Parameters interface_parameters(const Call& call, const InstanceEntry& source) {
  Parameters merged = call.parameters;
  if (!merged.has("SubnetId")) merged.set("SubnetId", source.desired.subnet.text());
  merged.set("NetworkInterface.1.AssociatePublicIpAddress", source.interface.wants_public ? "true" : "false");
  if (!merged.list("SecurityGroupId").empty() || !merged.list("SecurityGroup").empty()) return merged;
  std::size_t count = 0;
  for (const model::SecurityGroupId group : source.interface.security_groups) {
    merged.set("SecurityGroupId." + std::to_string(++count), group.text());
  }
  return merged;
}

Reply<> choose_network(const Call& call, const InstanceEntry& source, LaunchPlan& plan) {
  const Parameters merged = interface_parameters(call, source);
  const Call whole{call.store,    call.clock,   call.catalogue,  call.accounts,
                   call.settings, call.account, call.access_key, merged};
  TRY(choose_interface(whole, plan));
  model::InstanceDesired& desired = plan.request.prototype;
  desired.subnet = plan.subnet.id;
  desired.wish.zone = plan.subnet.zone;
  desired.security_groups = plan.interface.security_groups;
  return {};
}

Reply<> choose_options(const Parameters& given, model::InstanceDesired& desired) {
  if (given.has("UserData")) {
    if (TRY(given.bytes("UserData")).size() > kMaxUserData) {
      return ApiError("InvalidParameterValue", "User data is limited to 16384 bytes");
    }
    desired.user_data = given.get("UserData");
  }
  TRY(read_metadata_options(given.below("MetadataOptions"), desired.metadata));
  model::Tags tags = TRY(tags_for(given, "instance"));
  tags.merge(desired.tags);
  TRY(check_tags(tags));
  desired.tags = std::move(tags);
  return {};
}

// As the request's mapping changes it; nothing when it is left out.
Reply<std::optional<LaunchDisk>> disk_of(const VolumeEntry& volume, const std::vector<BlockDevice>& mapping) {
  const model::VolumeDesired& of = volume.desired();
  if (!volume.view.desired.exists()) {
    return ApiError("IncorrectState", "The disk '" + volume.wish.device +
                                          "' is of an earlier version of this cloud and cannot be copied");
  }
  LaunchDisk disk{volume.wish, of};
  disk.wish.attached_at = 0;
  disk.wish.delete_on_termination = true;  // it comes with the clone
  disk.volume.tags.erase("Name");  // which is the source's
  disk.volume.changed_from = {};
  if (volume.lives) {
    disk.volume.copying = true;
    disk.volume.image = {};
    disk.volume.snapshot = model::SnapshotId::random();
    disk.volume.begins_as.clear();
  }
  const auto said = std::ranges::find(mapping, disk.wish.device, &BlockDevice::device);
  if (said != mapping.end()) {
    if (said->none && volume.is_root) {
      return ApiError("InvalidBlockDeviceMapping", "An instance has a root device: it cannot be left out");
    }
    if (said->none) return std::optional<LaunchDisk>();
    if (said->size_gib && *said->size_gib < of.size_gib) {
      return ApiError("InvalidBlockDeviceMapping",
                      "A copy of '" + of.id.text() + "' has at least " + std::to_string(of.size_gib) + " GiB");
    }
    disk.volume.size_gib = said->size_gib.value_or(of.size_gib);
    disk.wish.delete_on_termination = said->delete_on_termination.value_or(true);
  }
  disk.wish.size_gib = disk.volume.size_gib;
  return std::optional(std::move(disk));
}

// Copies of the volumes that the source is to have, the root's first, and the snapshots that they begin as.
Reply<> choose_disks(const Call& call, const InstanceEntry& source, LaunchPlan& plan,
                     std::vector<model::SnapshotDesired>& snapshots) {
  const std::vector<BlockDevice> mapping = TRY(read_block_devices(call));
  const model::Tags tags = TRY(tags_for(call.parameters, "volume"));
  std::vector<std::string> ids;
  for (const model::DiskWish& disk : source.desired.disks) ids.push_back(disk.volume.text());
  const std::vector<VolumeEntry> volumes = TRY(find_volumes(call, ids));
  const u64 moment = model::random_id();
  for (const std::string& id : ids) {
    const auto of = [](const VolumeEntry& volume) { return volume.desired().id.text(); };
    const VolumeEntry& volume = *std::ranges::find(volumes, id, of);
    std::optional<LaunchDisk> disk = TRY(disk_of(volume, mapping));
    if (!disk) continue;
    for (const auto& [key, value] : tags) disk->volume.tags[key] = value;
    TRY(check_tags(disk->volume.tags));
    if (disk->volume.copying) {
      model::SnapshotDesired& snapshot = snapshots.emplace_back();
      snapshot.id = disk->volume.snapshot;
      snapshot.account = call.account.id;
      snapshot.volume = volume.desired().id;
      snapshot.size_gib = volume.desired().size_gib;
      snapshot.description = "For clones of " + source.desired.id.text();
      snapshot.started_at = call.clock.now();
      snapshot.moment = moment;
    }
    plan.disks.push_back(std::move(*disk));
  }
  if (plan.disks.empty()) return ApiError("IncorrectState", "The instance has no volumes");
  plan.request.prototype.takes.disk_gib = total_gib(plan.disks);
  return {};
}

// Of the records that a transaction can have, snapshots take some.
Reply<> choose_count(const Call& call, std::size_t snapshots, LaunchPlan& plan) {
  const i64 count = TRY(call.parameters.integer("Count", 1));
  const u32 fit = most_at_once(plan.disks, kRecordsOfSnapshot * snapshots);
  if (count < 1 || count > static_cast<i64>(fit)) {
    return ApiError("InvalidParameterValue",
                    "One request makes 1 to " + std::to_string(fit) + " clones of an instance with that many volumes");
  }
  plan.least = plan.most = static_cast<u32>(count);
  return {};
}

void add_snapshots(control::Change& change, std::vector<model::SnapshotDesired> snapshots,
                   const std::vector<InstanceEntry>& clones) {
  for (model::SnapshotDesired& snapshot : snapshots) {
    for (const InstanceEntry& clone : clones) snapshot.clones.push_back(clone.desired.id);
    model::SnapshotObserved observed;
    observed.id = snapshot.id;
    change.update(model::desired_key(snapshot.id), snapshot, 0);
    change.update(model::observed_key(snapshot.id), observed, 0);
  }
}

}  // namespace

Reply<LaunchPlan> make_clone_plan(const Call& call) {
  const Parameters& given = call.parameters;
  const InstanceEntry source = TRY(find_source(call));
  LaunchPlan plan;
  model::InstanceDesired& desired = plan.request.prototype;
  desired = source.desired;
  desired.clone_of = source.desired.id;
  desired.awaits_disks = true;
  desired.client_token = given.get("ClientToken");
  desired.power = model::Power::kRunning;
  desired.reboots = 0;
  desired.generation = 1;
  desired.wish.host = {};
  if (given.has("Placement.HostId")) {
    desired.wish.host = TRY(parse_id<model::HostId>(given.get("Placement.HostId"), "HostID"));
  }
  if (given.has("InstanceType") && given.get("InstanceType") != desired.type) {
    desired.type = given.get("InstanceType");
    desired.takes = TRY(offered_type(call, desired.type)).takes;
  }
  if (given.has("KeyName")) desired.key_name = TRY(find_key_pair(call, given.get("KeyName"))).name;
  TRY(choose_options(given, desired));
  std::vector<model::SnapshotDesired> snapshots;
  TRY(choose_disks(call, source, plan, snapshots));
  TRY(choose_count(call, snapshots.size(), plan));
  TRY(choose_network(call, source, plan));
  plan.beside = [snapshots](control::Change& change, const std::vector<InstanceEntry>& clones) {
    add_snapshots(change, snapshots, clones);
  };
  return plan;
}

}  // namespace pileus::ec2
