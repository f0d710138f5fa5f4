// An image as the cloud knows it.
//
// One of the library (src/image) is known by its name, and its disk is a file; every host that has it has it under that
// name. One made of snapshots names them, a disk each, and is available when all of them are completed.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct ImageDisk {
  std::string device;
  SnapshotId snapshot;  // none: an empty disk
  u64 size_gib = 0;
  std::string type = "gp3";
  bool delete_on_termination = true;
  bool operator==(const ImageDisk&) const = default;
};

struct ImageDesired {
  ImageId id;
  AccountId owner;
  std::string name;
  std::string description;
  std::string architecture = "x86_64";
  std::string root_device = "/dev/xvda";
  SnapshotId snapshot;  // of the root disk; none: an image of the library
  InstanceId from_instance;  // it is made of; may be none
  bool is_public = false;
  bool wanted = true;  // false: deregistered
  std::vector<std::string> launch_accounts;
  Millis created_at = 0;
  Tags tags;
  std::vector<ImageDisk> disks;  // of one made of snapshots: the root's first
  Millis deprecate_at = 0;  // 0: never
  bool operator==(const ImageDesired&) const = default;
};

struct ImageObserved {
  ImageId id;
  ImageState state = ImageState::kPending;
  std::string reason;
  u64 size_gib = 0;
  std::string manifest;  // id of the layer that the disk of an image of the library is; empty: not known
  bool operator==(const ImageObserved&) const = default;
};

}  // namespace pileus::model
