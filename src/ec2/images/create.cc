// Images are made, of an instance, of snapshots, of another image, and go.
#include <algorithm>
#include <chrono>

#include "ec2/images/handlers.h"
#include "ec2/images/write.h"
#include "ec2/instances/objects.h"
#include "ec2/internal/once.h"
#include "ec2/quota.h"
#include "ec2/snapshots/objects.h"
#include "ec2/tags/objects.h"
#include "ec2/volumes/block_devices.h"

namespace pileus::ec2 {
namespace {

Reply<model::ImageDesired> new_image(const Call& call) {
  model::ImageDesired image;
  image.id = model::ImageId::random();
  image.owner = call.account.id;
  image.name = call.parameters.get("Name");
  image.description = call.parameters.get("Description");
  image.created_at = call.clock.now();
  image.tags = TRY(tags_for(call.parameters, "image"));
  return image;
}

Reply<> add_image(const Call& call, control::Change& change, const model::ImageDesired& image) {
  TRY(claim_image_name(call, change, image.name, image.id));
  model::ImageObserved observed;
  observed.id = image.id;
  observed.size_gib = image.disks.at(0).size_gib;
  change.update(model::desired_key(image.id), image, 0);
  change.update(model::observed_key(image.id), observed, 0);
  model::EventLog log;
  model::append(log, {image.created_at, call.account.id.text(), "asked for", image.name});
  change.put(model::events_key(image.id), model::encode(log));
  return {};
}

Reply<model::SnapshotDesired> snapshot_for(const Call& call, const model::ImageDesired& image) {
  model::SnapshotDesired snapshot;
  snapshot.description = "Created by CreateImage(" + image.from_instance.text() + ") for " + image.id.text();
  snapshot.tags = TRY(tags_for(call.parameters, "snapshot"));
  return snapshot;
}

// The disk's place in an image, as the request's mapping has it; nothing when it is left out.
std::optional<model::ImageDisk> disk_for(const VolumeEntry& volume, const std::vector<BlockDevice>& mapping) {
  model::ImageDisk disk{
      volume.wish.device, {}, volume.desired().size_gib, volume.desired().type, volume.wish.delete_on_termination};
  const auto said = std::ranges::find(mapping, disk.device, &BlockDevice::device);
  if (said == mapping.end()) return disk;
  if (said->none && !volume.is_root) return {};
  if (said->delete_on_termination) disk.delete_on_termination = *said->delete_on_termination;
  return disk;
}

// Snapshots of the instance's volumes, and the image of them, in one transaction. A running instance is rebooted for them,
// unless it must not be: what its file systems hold back is written then.
Reply<bool> try_create(const Call& call, const model::ImageDesired& wish) {
  const InstanceEntry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  auto instance = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(entry.desired.id)));
  using enum model::InstanceState;
  if (entry.observed.state != kRunning && entry.observed.state != kStopped) {
    return ApiError("IncorrectInstanceState", "The instance '" + entry.desired.id.text() +
                                                  "' is neither running nor stopped: it is " +
                                                  std::string(model::name(entry.observed.state)));
  }
  const bool reboot = entry.observed.state == kRunning && !TRY(call.parameters.boolean("NoReboot", false));
  const std::vector<BlockDevice> mapping = TRY(read_block_devices(call));
  control::Change change;
  model::ImageDesired image = wish;
  image.from_instance = entry.desired.id;
  if (reboot) instance.value.reboots++;
  const u64 moment = model::random_id();
  for (const VolumeEntry& volume : TRY(find_volumes(call, {}))) {
    if (volume.instance != entry.desired.id || !volume.desired().attached_to) continue;
    std::optional<model::ImageDisk> disk = disk_for(volume, mapping);
    if (!disk) continue;
    model::SnapshotDesired snapshot = TRY(snapshot_for(call, image));
    snapshot.with_reboot = reboot ? instance.value.reboots : 0;
    snapshot.moment = moment;
    disk->snapshot = TRY(add_snapshot(call, change, volume, std::move(snapshot))).desired.id;
    image.disks.insert(volume.is_root ? image.disks.begin() : image.disks.end(), *disk);
    if (volume.is_root) image.root_device = disk->device;
  }
  if (image.disks.empty()) return ApiError("IncorrectState", "The instance has no volumes");
  TRY(claim_snapshots(call, change, image.disks.size()));
  image.snapshot = image.disks[0].snapshot;
  if (reboot) {
    instance.value.generation++;
    change.update(model::desired_key(instance.value.id), instance.value, instance.revision);
    TRY(tell(call, change, instance.value.id, "wanted a reboot", "for " + image.id.text()));
  } else {
    change.expect(model::desired_key(instance.value.id), instance.revision);
  }
  TRY(add_image(call, change, image));
  return TRY(change.commit(call.store)).has_value();
}

Reply<bool> try_register(const Call& call, model::ImageDesired image) {
  control::Change change;
  for (const BlockDevice& device : TRY(read_block_devices(call))) {
    if (device.none) continue;
    if (device.snapshot) change.expect(state::Compare::exists(model::desired_key(device.snapshot->desired.id)));
    model::ImageDisk disk = image_disk(device);
    const bool root = disk.device == image.root_device;
    image.disks.insert(root ? image.disks.begin() : image.disks.end(), std::move(disk));
  }
  const bool rooted = !image.disks.empty() && image.disks[0].device == image.root_device && image.disks[0].snapshot;
  if (!rooted) {
    return ApiError("InvalidBlockDeviceMapping",
                    "The root device, " + image.root_device + ", needs a snapshot in BlockDeviceMapping");
  }
  image.snapshot = image.disks[0].snapshot;
  TRY(add_image(call, change, image));
  return TRY(change.commit(call.store)).has_value();
}

}  // namespace

Reply<> create_image(Call& call, pugi::xml_node answer) {
  const model::ImageDesired image = TRY(new_image(call));
  const auto attempt = [&]() -> Reply<bool> { return try_create(call, image); };
  TRY(retry(attempt));
  add(answer, "imageId", image.id.text());
  return {};
}

Reply<> register_image(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  model::ImageDesired image = TRY(new_image(call));
  if (given.has("ImageLocation")) {
    return ApiError("UnsupportedOperation", "Images are registered of snapshots: name them in BlockDeviceMapping");
  }
  if (given.has("Architecture") && given.get("Architecture") != image.architecture) {
    return ApiError("UnsupportedOperation", "The machines of this cloud are x86_64");
  }
  if (given.has("RootDeviceName")) image.root_device = given.get("RootDeviceName");
  const auto attempt = [&]() -> Reply<bool> { return try_register(call, image); };
  TRY(retry(attempt));
  add(answer, "imageId", image.id.text());
  return {};
}

// Another image of the same snapshots; of one of the library there is no other.
Reply<> copy_image(Call& call, pugi::xml_node answer) {
  if (call.parameters.get("SourceRegion") != call.settings.region) {
    return ApiError("InvalidParameterValue", "Images are copied within the region " + call.settings.region);
  }
  TRY(refuse_unsupported(call.parameters));
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    const Image source = TRY(launchable_image(call, call.parameters.get("SourceImageId")));
    if (source.of_library()) {
      return ApiError("UnsupportedOperation", "An image of the library is there for everybody: it needs no copy");
    }
    model::ImageDesired image = TRY(new_image(call));
    image.architecture = source.desired.architecture;
    image.root_device = source.desired.root_device;
    image.from_instance = source.desired.from_instance;
    image.snapshot = source.desired.snapshot;
    image.disks = source.desired.disks;
    if (TRY(call.parameters.boolean("CopyImageTags", false))) image.tags = source.desired.tags;
    for (const model::ImageDisk& disk : image.disks) {
      if (disk.snapshot) change.expect(state::Compare::exists(model::desired_key(disk.snapshot)));
    }
    TRY(add_image(call, change, image));
    return image.id.text();
  };
  const std::string id = TRY(make_once(call, "CopyImage", make));
  add(answer, "imageId", id);
  return {};
}

// For a while it is not unknown, it is only not there: clients that wait until it has gone ask for it by its id.
Reply<> deregister_image(Call& call, pugi::xml_node answer) {
  constexpr std::chrono::hours kRemembered{1};
  const state::Lease memory = TRY(call.store.grant_lease(kRemembered));
  const auto attempt = [&]() -> Reply<bool> {
    const Image image = TRY(own_image(call, call.parameters.get("ImageId")));
    if (image.of_library()) {
      return ApiError("OperationNotPermitted",
                      "The image '" + image.desired.name + "' is of the library: remove it there, by pileus image rm");
    }
    control::Change change;
    change.expect(model::desired_key(image.desired.id), image.revision);
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kImage, image.desired.id.text(), "")));
    TRY(release_image_name(call, change, image.desired));
    change.put(model::deregistered_image_key(image.desired.id), call.account.id.text(), memory.id);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
