#include "ec2/volumes/block_devices.h"

#include <algorithm>

namespace pileus::ec2 {
namespace {

ApiError bad_mapping(const std::string& device, const std::string& why) {
  return {"InvalidBlockDeviceMapping", "The mapping of '" + device.substr(0, 40) + "' is not good: " + why};
}

Reply<BlockDevice> read_block_device(const Call& call, const Parameters& given) {
  BlockDevice device;
  device.device = given.get("DeviceName");
  if (device.device.empty()) return bad_mapping("", "it has no DeviceName");
  if (given.has("VirtualName")) {
    return ApiError("UnsupportedOperation", "There are no instance store volumes here: leave VirtualName out");
  }
  const Parameters ebs = given.below("Ebs");
  // Clients send NoDevice as an empty text, which counts as not given; a mapping that says nothing else is meant.
  device.none = given.has("NoDevice") || (given.all().contains("NoDevice") && ebs.empty());
  if (device.none) return device;
  TRY(refuse_unsupported(ebs));
  if (ebs.has("SnapshotId")) {
    device.snapshot = TRY(usable_snapshot(call, ebs.get("SnapshotId")));
    device.size_gib = device.snapshot->desired.size_gib;
  }
  if (ebs.has("VolumeSize")) {
    const i64 least = device.size_gib ? static_cast<i64>(*device.size_gib) : 1;
    const i64 size = TRY(ebs.integer("VolumeSize", least));
    if (size < least || size > static_cast<i64>(kMaxVolume)) {
      return bad_mapping(device.device, "it has " + std::to_string(least) + " to " + std::to_string(kMaxVolume) +
                                            " GiB, not " + std::to_string(size));
    }
    device.size_gib = static_cast<u64>(size);
  }
  if (ebs.has("DeleteOnTermination")) device.delete_on_termination = TRY(ebs.boolean("DeleteOnTermination", true));
  TRY(read_performance(ebs, device.volume));
  return device;
}

}  // namespace

Reply<std::vector<BlockDevice>> read_block_devices(const Call& call) {
  std::vector<BlockDevice> devices;
  for (const Parameters& given : call.parameters.structures("BlockDeviceMapping")) {
    BlockDevice device = TRY(read_block_device(call, given));
    if (std::ranges::find(devices, device.device, &BlockDevice::device) != devices.end()) {
      return bad_mapping(device.device, "it is mapped twice");
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

model::ImageDisk image_disk(const BlockDevice& device) {
  model::ImageDisk disk;
  disk.device = device.device;
  if (device.snapshot) disk.snapshot = device.snapshot->desired.id;
  disk.size_gib = device.size_gib.value_or(1);
  disk.type = device.volume.type;
  disk.delete_on_termination = device.delete_on_termination.value_or(true);
  return disk;
}

}  // namespace pileus::ec2
