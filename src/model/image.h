// An image as the cloud knows it. Its bytes are a manifest in the block store.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct ImageDesired {
  ImageId id;
  AccountId owner;
  std::string name;
  std::string description;
  std::string architecture = "x86_64";
  std::string root_device = "/dev/xvda";
  SnapshotId snapshot;       // of the root disk
  InstanceId from_instance;  // it is made of; may be none
  bool is_public = false;
  bool wanted = true;  // false: deregistered
  std::vector<std::string> launch_accounts;
  Millis created_at = 0;
  Tags tags;
  bool operator==(const ImageDesired&) const = default;
};

struct ImageObserved {
  ImageId id;
  ImageState state = ImageState::kPending;
  std::string reason;
  u64 size_gib = 0;
  std::string manifest;  // hash; empty until available
  bool operator==(const ImageObserved&) const = default;
};

}  // namespace pileus::model
