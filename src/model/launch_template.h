// Launch templates: parameters of RunInstances under a name, in numbered versions.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct LaunchTemplate {
  LaunchTemplateId id;
  AccountId account;
  std::string name;
  u64 default_version = 1;
  u64 latest_version = 1;  // also of those that were deleted
  Millis created_at = 0;
  std::string created_by;
  Tags tags;
  bool operator==(const LaunchTemplate&) const = default;
};

// A record of its own. It never changes.
struct LaunchTemplateVersion {
  u64 number = 0;
  std::string description;
  Millis created_at = 0;
  std::string created_by;
  std::map<std::string, std::string> parameters;  // as RunInstances takes them: "ImageId", "Placement.AvailabilityZone"
  bool operator==(const LaunchTemplateVersion&) const = default;
};

}  // namespace pileus::model
