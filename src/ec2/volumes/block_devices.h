// BlockDeviceMapping.N of a request.
#pragma once

#include <optional>

#include "ec2/snapshots/objects.h"
#include "model/image.h"

namespace pileus::ec2 {

struct BlockDevice {
  std::string device;
  bool none = false;                      // NoDevice: what the image has there is left out
  std::optional<SnapshotEntry> snapshot;  // that it begins as
  std::optional<u64> size_gib;
  std::optional<bool> delete_on_termination;
  model::VolumeDesired volume;            // for type, iops and throughput
};

// InvalidBlockDeviceMapping, InvalidSnapshot.NotFound, IncorrectState and what read_performance() refuses.
Reply<std::vector<BlockDevice>> read_block_devices(const Call& call);
// As a disk of an image.
model::ImageDisk image_disk(const BlockDevice& device);

}  // namespace pileus::ec2
