// The volumes that new instances begin with: those of the image, as the request's mapping changes them.
#pragma once

#include "ec2/images/objects.h"
#include "model/volume.h"

namespace pileus::ec2 {

struct LaunchDisk {
  model::DiskWish wish;         // its volume is filled in by add_volumes()
  model::VolumeDesired volume;  // likewise its id and instance
};
// The root's first. InvalidBlockDeviceMapping, UnsupportedOperation.
Reply<std::vector<LaunchDisk>> choose_disks(const Call& call, const Image& image, u64 usual_root_gib);
u64 total_gib(const std::vector<LaunchDisk>& disks);
inline constexpr std::size_t kRecordsOfSnapshot = 2;
// How many instances with these disks fit into one transaction, beside so many other records.
u32 most_at_once(const std::vector<LaunchDisk>& disks, std::size_t others = 0);
// The volumes of one instance, into the transaction that makes it.
void add_volumes(control::Change& change, const std::vector<LaunchDisk>& disks, model::InstanceDesired& instance);

}  // namespace pileus::ec2
