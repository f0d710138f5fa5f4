// Everything is killed at every one of its calls of the store in turn, before and after the call; the end is the same.
#include <gtest/gtest.h>

#include "control/testing/cloud.h"
#include "control/testing/kill_everywhere.h"

namespace pileus::control {
namespace {

using testing::Cloud;
using testing::Injector;

constexpr model::Millis kHour = 3600ULL * 1000;

// A life from the launch to the last record; the number of calls of the store that it took.
u64 live(u64 fail_at, Injector::When when) {
  Cloud cloud(2);
  cloud.injector.fail_at = fail_at;
  cloud.injector.when = when;
  cloud.settle();
  const std::vector<std::string> at_first = cloud.keys("v1/instances/");
  EXPECT_TRUE(at_first.empty());

  const Launched launched = cloud.launch_surely(cloud.request("token", 2));
  cloud.settle();
  cloud.expect_sound();
  EXPECT_EQ(launched.instances.size(), 2U);
  EXPECT_EQ(cloud.vm_count(), 2U);
  for (const model::InstanceId id : launched.instances) {
    EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
    EXPECT_EQ(cloud.starts(id), 1U);
  }
  const Launched again = cloud.launch_surely(cloud.request("token", 2));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.instances, launched.instances);

  for (const model::InstanceId id : launched.instances) cloud.set_power_surely(id, model::Power::kTerminated);
  cloud.settle();
  cloud.expect_sound();
  EXPECT_EQ(cloud.vm_count(), 0U);
  for (const model::InstanceId id : launched.instances) {
    EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kTerminated);
    EXPECT_EQ(cloud.starts(id), 1U);
  }
  EXPECT_EQ(cloud.stored<model::HostClaims>(model::claims_key(Cloud::host_id(0))).instances, 0U);

  cloud.clock.advance(kHour - 1);
  cloud.settle();
  EXPECT_EQ(cloud.keys("v1/instances/").size(), 6U) << "terminated instances are to be seen for an hour";
  cloud.clock.advance(1);
  cloud.settle();
  EXPECT_TRUE(cloud.keys("v1/instances/").empty());
  EXPECT_EQ(cloud.keys("v1/tokens/").size(), 1U);
  EXPECT_EQ(cloud.launch_surely(cloud.request("token", 2)).instances, launched.instances);
  cloud.clock.advance(24 * kHour);
  cloud.settle();
  EXPECT_TRUE(cloud.keys("v1/tokens/").empty());
  return cloud.injector.calls;
}

TEST(Faults, KilledBeforeAnyCallTheEndIsTheSame) { testing::kill_everywhere(Injector::When::kBefore, live); }
TEST(Faults, KilledAfterAnyCallTheEndIsTheSame) { testing::kill_everywhere(Injector::When::kAfter, live); }

}  // namespace
}  // namespace pileus::control
