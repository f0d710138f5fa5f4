// Instances with volumes, for tests of what becomes of both.
#pragma once

#include "control/testing/cloud.h"

namespace pileus::control::testing {

// A running instance with so many volumes. Its root goes with it; the others stay when it ends.
inline model::InstanceId launch_with_disks(Cloud& cloud, const std::string& token, u32 disks, model::HostId host = {}) {
  LaunchRequest request = cloud.request(token);
  request.prototype.wish.host = host;
  request.parameters = "with disks";
  request.prepare = [=](Change& change, model::InstanceDesired& desired) -> Result<> {
    for (u32 i = 0; i < disks; ++i) {
      model::VolumeDesired volume;
      volume.id = model::VolumeId::random();
      volume.account = desired.account;
      volume.size_gib = 4;
      volume.attached_to = desired.id;
      change.update(model::desired_key(volume.id), volume, 0);
      desired.disks.push_back({"/dev/xvd" + std::string(1, static_cast<char>('a' + i)), volume.id, 4, i == 0, 0});
    }
    return {};
  };
  const model::InstanceId id = cloud.launch_surely(request).instances.at(0);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
  return id;
}

}  // namespace pileus::control::testing
