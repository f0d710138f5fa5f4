#include "ec2/instances/launch_disks.h"

#include <algorithm>

#include "control/launch.h"
#include "ec2/images/write.h"
#include "ec2/tags/objects.h"
#include "ec2/volumes/block_devices.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMostDisks = 24;

LaunchDisk new_disk(const Call& call, const std::string& device) {
  LaunchDisk disk;
  disk.wish.device = device;
  disk.volume.account = call.account.id;
  disk.volume.iops = 3000;  // of gp3
  disk.volume.throughput = 125;
  return disk;
}

Reply<LaunchDisk> disk_of_image(const Call& call, const Image& image, const model::ImageDisk& of) {
  LaunchDisk disk = new_disk(call, of.device);
  disk.wish.size_gib = of.size_gib;
  disk.wish.delete_on_termination = of.delete_on_termination;
  disk.volume.type = of.type;
  if (image.of_library()) disk.volume.image = image.desired.id;
  if (!of.snapshot) return disk;
  // Who may launch an image may do so with its snapshots.
  const auto snapshot = TRY(control::read<model::SnapshotObserved>(call.store, model::observed_key(of.snapshot)));
  if (snapshot.value.state != model::SnapshotState::kCompleted) {
    return ApiError("InvalidAMIID.Unavailable",
                    "The snapshot '" + of.snapshot.text() + "' of image '" + image.desired.id.text() + "' is gone");
  }
  disk.volume.snapshot = of.snapshot;
  disk.volume.begins_as = snapshot.value.layers;
  return disk;
}

Reply<> apply(const BlockDevice& said, LaunchDisk& disk) {
  if (said.snapshot && said.snapshot->desired.id != disk.volume.snapshot) {
    if (disk.volume.image || disk.volume.snapshot) {
      return ApiError("InvalidBlockDeviceMapping",
                      "The snapshot of '" + said.device + "' is the image's: leave it out");
    }
    disk.volume.snapshot = said.snapshot->desired.id;
    disk.volume.begins_as = said.snapshot->observed.layers;
  }
  if (said.size_gib) {
    if (*said.size_gib < disk.wish.size_gib) {
      return ApiError("InvalidBlockDeviceMapping", "Volume of size " + std::to_string(*said.size_gib) +
                                                       "GB is smaller than snapshot '" + disk.volume.snapshot.text() +
                                                       "', expect size>= " + std::to_string(disk.wish.size_gib) + "GB");
    }
    disk.wish.size_gib = *said.size_gib;
  }
  if (said.delete_on_termination) disk.wish.delete_on_termination = *said.delete_on_termination;
  disk.volume.type = said.volume.type;
  disk.volume.iops = said.volume.iops;
  disk.volume.throughput = said.volume.throughput;
  return {};
}

Reply<> apply_mapping(const Call& call, const std::vector<BlockDevice>& mapping, std::vector<LaunchDisk>& disks) {
  const auto device_of = [](const LaunchDisk& disk) { return disk.wish.device; };
  for (const BlockDevice& said : mapping) {
    auto disk = std::ranges::find(disks, said.device, device_of);
    const bool root = disk == disks.begin();
    if (said.none) {
      if (root) return ApiError("InvalidBlockDeviceMapping", "An instance has a root device: it cannot be left out");
      if (disk != disks.end()) disks.erase(disk);
      continue;
    }
    if (disk == disks.end()) {
      if (!said.size_gib) {
        return ApiError("InvalidBlockDeviceMapping",
                        "The mapping of '" + said.device.substr(0, 40) + "' needs a VolumeSize or a SnapshotId");
      }
      disks.push_back(new_disk(call, said.device));
      disk = disks.end() - 1;
    }
    const Reply<> applied = apply(said, *disk);
    if (!applied) return applied.error();
  }
  return {};
}

}  // namespace

Reply<std::vector<LaunchDisk>> choose_disks(const Call& call, const Image& image, u64 usual_root_gib) {
  std::vector<LaunchDisk> disks;
  for (const model::ImageDisk& of : disks_of(image)) disks.push_back(TRY(disk_of_image(call, image, of)));
  const std::vector<BlockDevice> mapping = TRY(read_block_devices(call));
  TRY(apply_mapping(call, mapping, disks));
  if (disks.size() > kMostDisks) {
    return ApiError("AttachmentLimitExceeded", "An instance has at most " + std::to_string(kMostDisks) + " volumes");
  }
  // The usual size is the least that an image is given, unless the request says one.
  const auto root = std::ranges::find(mapping, disks[0].wish.device, &BlockDevice::device);
  const bool sized = root != mapping.end() && root->size_gib.has_value();
  if (!sized) disks[0].wish.size_gib = std::max(disks[0].wish.size_gib, usual_root_gib);
  const model::Tags tags = TRY(tags_for(call.parameters, "volume"));
  for (LaunchDisk& disk : disks) {
    disk.volume.size_gib = disk.wish.size_gib;
    disk.volume.tags = tags;
  }
  return disks;
}

u64 total_gib(const std::vector<LaunchDisk>& disks) {
  u64 total = 0;
  for (const LaunchDisk& disk : disks) total += disk.wish.size_gib;
  return total;
}

u32 most_at_once(const std::vector<LaunchDisk>& disks, std::size_t others) {
  constexpr std::size_t kOfLaunch = 8;     // operations of the launch as a whole: its token, turns
  constexpr std::size_t kOfInstance = 5;   // of each instance besides its volumes
  const std::size_t fit = (state::kMaxOperations - kOfLaunch - others) / (kOfInstance + disks.size());
  return static_cast<u32>(std::min<std::size_t>(fit, control::kMaxLaunch));
}

void add_volumes(control::Change& change, const std::vector<LaunchDisk>& disks, model::InstanceDesired& instance) {
  instance.disks.clear();
  for (const LaunchDisk& disk : disks) {
    model::VolumeDesired volume = disk.volume;
    volume.id = model::VolumeId::random();
    volume.zone = instance.wish.zone;
    volume.attached_to = instance.id;
    volume.created_at = instance.launched_at;
    change.update(model::desired_key(volume.id), volume, 0);
    instance.disks.push_back(disk.wish);
    instance.disks.back().volume = volume.id;
  }
}

}  // namespace pileus::ec2
