// Volumes and snapshots.
//
// What a volume holds is a chain: immutable layers, bottom first, each named by the SHA-256 of its bytes in hexadecimal,
// and one writable top on the host where the volume lives. A snapshot is a list of layers and nothing else; so is what a
// new volume begins as. A volume that was never attached lives nowhere: it is its records.
//
// Whether a volume is attached is no state of its own: it is wanted where the desired record of the instance names it, and
// it is so where the observed one does (attachment_state()).
#pragma once

#include "model/instance.h"

namespace pileus::model {

using Layers = std::vector<std::string>;
inline constexpr std::size_t kMaxLayers = 64;  // of one chain

// What ModifyVolume changed last, and from what.
struct VolumeChange {
  u64 size_gib = 0;
  std::string type;
  u32 iops = 0;
  u32 throughput = 0;
  Millis started_at = 0;  // 0: never
  bool operator==(const VolumeChange&) const = default;
};

struct VolumeDesired {
  VolumeId id;
  AccountId account;
  std::string zone;
  u64 size_gib = 0;
  std::string type = "gp3";
  u32 iops = 0;
  u32 throughput = 0;  // MiB a second
  SnapshotId snapshot;  // it begins as; may be none
  ImageId image;  // of the library, that a root disk begins as when it begins as no snapshot; may be none
  Layers begins_as;  // those of the snapshot: it may be deleted meanwhile
  bool copying = false;  // of a clone: not known before its snapshot is completed
  bool wanted = true;  // false: to be deleted
  InstanceId attached_to;  // whose desired record names it among its disks; none: detached, or to be
  VolumeChange changed_from;
  Millis created_at = 0;
  Tags tags;
  bool operator==(const VolumeDesired&) const = default;
};

// Where the volume lives. Absent while it lives nowhere; a new instance's volumes live where the instance is placed, and
// get theirs when they part from it.
struct VolumePlaced {
  VolumeId id;
  HostId host;
  u64 epoch = 0;  // one more with each host that gets it
  bool leaving = false;  // the host is to freeze it and hand it over
  Layers layers;  // that it came with
  Millis placed_at = 0;
  bool operator==(const VolumePlaced&) const = default;
};

// Written by the host where it lives.
struct VolumeObserved {
  VolumeId id;
  VolumeState state = VolumeState::kCreating;
  HostId host;
  u64 epoch = 0;  // of the placement it was reported under
  u64 size_gib = 0;  // that the guest sees
  bool handed_over = false;  // frozen, and not to be written any more: `layers` are all of it
  Layers layers;
  std::string reason;  // why it is not (yet) as it should be, a sentence
  Millis changed_at = 0;
  bool operator==(const VolumeObserved&) const = default;
};

struct SnapshotDesired {
  SnapshotId id;
  AccountId account;
  VolumeId volume;
  u64 size_gib = 0;  // of the volume when it was asked for
  std::string description;
  // Taken while the instance is down on its way through this reboot (InstanceDesired::reboots); 0: at once.
  u64 with_reboot = 0;
  u64 moment = 0;  // those of one instance with the same are taken at the same moment; 0: each by itself
  // It is nobody's to see, and is gone as soon as none of these instances, whose disks begin as it, waits for it.
  std::vector<InstanceId> clones;
  bool is_public = false;  // everybody may make volumes of it
  std::vector<AccountId> accounts;  // that may, too
  Millis started_at = 0;
  Tags tags;
  bool operator==(const SnapshotDesired&) const = default;
};

struct SnapshotObserved {
  SnapshotId id;
  SnapshotState state = SnapshotState::kPending;
  u32 progress_percent = 0;
  Layers layers;  // when it is completed
  std::string reason;  // of an error, a sentence
  bool operator==(const SnapshotObserved&) const = default;
};

// What stands between a wish and what is.
constexpr AttachmentState attachment_state(bool wanted, bool is) {
  if (wanted) return is ? AttachmentState::kAttached : AttachmentState::kAttaching;
  return is ? AttachmentState::kDetaching : AttachmentState::kDetached;
}

}  // namespace pileus::model
