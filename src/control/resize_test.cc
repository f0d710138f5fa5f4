#include "control/resize.h"

#include <gtest/gtest.h>

#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using testing::Cloud;

model::InstanceType type_of(u32 vcpus, u64 memory_mib) {
  model::InstanceType type;
  type.name = "other";
  type.takes = {vcpus, memory_mib, 99};
  return type;
}

TEST(Resize, ChangesWhatAStoppedInstanceHoldsOnItsHost) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId id = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  EXPECT_EQ(resize(cloud.store(), id, type_of(4, 2048)).error().code(), ErrorCode::kInvalid);  // it runs
  cloud.set_power_surely(id, model::Power::kStopped);
  cloud.settle();
  ASSERT_TRUE(resize(cloud.store(), id, type_of(4, 2048)).ok());
  const auto desired = cloud.stored<model::InstanceDesired>(model::desired_key(id));
  EXPECT_EQ(desired.type, "other");
  EXPECT_EQ(desired.takes, (model::Resources{4, 2048, 8}));  // the disk stays
  EXPECT_EQ(cloud.stored<model::InstancePlaced>(model::placed_key(id)).takes, desired.takes);
  cloud.expect_sound();
  cloud.set_power_surely(id, model::Power::kRunning);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
}

TEST(Resize, RefusesWhatTheHostHasNoRoomFor) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId id = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  cloud.set_power_surely(id, model::Power::kStopped);
  cloud.settle();
  EXPECT_EQ(resize(cloud.store(), id, type_of(100'000, 1024)).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(resize(cloud.store(), model::InstanceId(5), type_of(1, 1)).error().code(), ErrorCode::kNotFound);
  cloud.expect_sound();
}

}  // namespace
}  // namespace pileus::control
