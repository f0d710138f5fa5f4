// Volumes, for other groups of actions.
#pragma once

#include "control/disk_view.h"
#include "ec2/call.h"

namespace pileus::ec2 {

inline constexpr u64 kMaxVolume = 16 * kKiB;  // GiB, EC2's limit

// A volume as it is shown. Its desired record has revision 0 when it is the disk of an instance from before volumes had
// records: to change it makes one.
struct VolumeEntry {
  control::VolumeView view;
  model::InstanceId instance;  // that has it or is to have it; none: none
  model::DiskWish wish;  // for that instance
  model::AttachmentState attachment = model::AttachmentState::kDetached;
  bool is_root = false;  // of that instance
  bool lives = false;  // on some host

  const model::VolumeDesired& desired() const { return view.desired.value; }
  bool is_detached() const { return attachment == model::AttachmentState::kDetached; }
};
// EC2's name of the state it is in.
std::string_view shown_state(const VolumeEntry& volume);

// The account's, by id; with `ids` only those. InvalidVolume.NotFound, InvalidVolumeID.Malformed.
Reply<std::vector<VolumeEntry>> find_volumes(const Call& call, const std::vector<std::string>& ids);
Reply<VolumeEntry> find_volume(const Call& call, const std::string& id);

// Type, Iops and Throughput of a request, with EC2's usual values where it does not say. InvalidParameterValue,
// InvalidParameterCombination.
Reply<> read_performance(const Parameters& parameters, model::VolumeDesired& volume);
// UnsupportedOperation for what no volume of this cloud can have: encryption and the like.
Reply<> refuse_unsupported(const Parameters& parameters);

}  // namespace pileus::ec2
