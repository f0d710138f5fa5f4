// Volumes and snapshots.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct VolumeDesired {
  VolumeId id;
  AccountId account;
  std::string zone;
  u64 size_gib = 0;
  std::string type = "gp3";
  u32 iops = 0;
  SnapshotId snapshot;  // it begins as; may be none
  bool wanted = true;   // false: to be deleted
  InstanceId attached_to;  // none: to be detached
  std::string device;
  bool delete_on_termination = false;
  Millis created_at = 0;
  Tags tags;
  bool operator==(const VolumeDesired&) const = default;
};

struct VolumeObserved {
  VolumeId id;
  VolumeState state = VolumeState::kCreating;
  AttachmentState attachment = AttachmentState::kDetached;
  InstanceId instance;
  HostId host;  // that has its overlay
  Millis attached_at = 0;
  std::string reason;
  bool operator==(const VolumeObserved&) const = default;
};

struct SnapshotDesired {
  SnapshotId id;
  AccountId account;
  VolumeId volume;
  std::string description;
  bool wanted = true;
  Millis started_at = 0;
  Tags tags;
  bool operator==(const SnapshotDesired&) const = default;
};

struct SnapshotObserved {
  SnapshotId id;
  SnapshotState state = SnapshotState::kPending;
  u32 progress_percent = 0;
  u64 size_gib = 0;
  std::string manifest;  // hash; empty until completed
  std::string reason;
  bool operator==(const SnapshotObserved&) const = default;
};

}  // namespace pileus::model
