// Clones in a whole cloud of simulated hosts; killed at any call of the store the end is the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "control/testing/cloud.h"
#include "control/testing/disks.h"
#include "control/testing/kill_everywhere.h"

namespace pileus::control {
namespace {

using testing::Cloud;
using testing::Injector;

// What CloneInstance writes, beside networks: the clone, its volumes, and the snapshots that they begin as.
LaunchRequest clone_request(Cloud& cloud, model::InstanceId source, const std::string& token, u32 count = 1) {
  LaunchRequest request = cloud.request(token, count);
  request.prototype.clone_of = source;
  request.prototype.awaits_disks = true;
  const auto disks = cloud.stored<model::InstanceDesired>(model::desired_key(source)).disks;
  auto clones = std::make_shared<std::vector<model::InstanceId>>();
  request.parameters = "clone";
  request.prepare = [=](Change& change, model::InstanceDesired& desired) -> Result<> {
    if (desired.launch_index == 0) clones->clear();
    clones->push_back(desired.id);
    desired.disks.clear();
    for (std::size_t i = 0; i < disks.size(); ++i) {
      const model::SnapshotId snapshot(100 + i);
      model::VolumeDesired volume;
      volume.id = model::VolumeId::random();
      volume.account = desired.account;
      volume.size_gib = disks[i].size_gib;
      volume.snapshot = snapshot;
      volume.copying = true;
      volume.attached_to = desired.id;
      change.update(model::desired_key(volume.id), volume, 0);
      desired.disks.push_back({disks[i].device, volume.id, volume.size_gib, disks[i].delete_on_termination, 0});
      if (clones->size() < count) continue;
      model::SnapshotDesired taken;
      taken.id = snapshot;
      taken.account = desired.account;
      taken.volume = disks[i].volume;
      taken.moment = 7;
      taken.clones = *clones;
      model::SnapshotObserved observed;
      observed.id = snapshot;
      change.update(model::desired_key(snapshot), taken, 0);
      change.update(model::observed_key(snapshot), observed, 0);
    }
    return {};
  };
  return request;
}

model::InstanceDesired desired(Cloud& cloud, model::InstanceId id) {
  return cloud.stored<model::InstanceDesired>(model::desired_key(id));
}

// An instance with a data volume, and two clones of it, one of which is terminated. The number of calls of the store.
u64 live(u64 fail_at, Injector::When when) {
  Cloud cloud(2);
  cloud.injector.fail_at = fail_at;
  cloud.injector.when = when;
  cloud.settle();
  const model::InstanceId source = testing::launch_with_disks(cloud, "s", 2);
  const LaunchRequest wish = clone_request(cloud, source, "c", 2);
  const Launched clones = cloud.launch_surely(wish);
  cloud.settle();
  EXPECT_EQ(cloud.launch_surely(wish).instances, clones.instances) << "the same token, the same clones";
  std::vector<model::Layers> begin;
  for (const model::InstanceId id : clones.instances) {
    EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
    EXPECT_FALSE(desired(cloud, id).awaits_disks);
    for (const model::DiskWish& disk : desired(cloud, id).disks) {
      const auto volume = cloud.stored<model::VolumeDesired>(model::desired_key(disk.volume));
      EXPECT_FALSE(volume.copying);
      EXPECT_FALSE(volume.snapshot);
      EXPECT_EQ(volume.begins_as.size(), 1U) << "what the source's top was";
      begin.push_back(volume.begins_as);
    }
  }
  EXPECT_EQ(begin.size(), 4U);
  EXPECT_EQ(begin.at(0), begin.at(2));
  EXPECT_EQ(begin.at(1), begin.at(3));
  EXPECT_NE(begin.at(0), begin.at(1));
  EXPECT_TRUE(cloud.keys("v1/snapshots/").empty()) << "nothing is left of what they were made by";
  EXPECT_EQ(cloud.vm_count(), 3U);

  cloud.set_power_surely(clones.instances[0], model::Power::kTerminated);
  cloud.settle();
  EXPECT_EQ(cloud.observed(source).state, model::InstanceState::kRunning);
  EXPECT_EQ(cloud.observed(clones.instances[1]).state, model::InstanceState::kRunning);
  cloud.expect_sound();
  return cloud.injector.calls;
}

TEST(CloneFaults, KilledBeforeAnyCallTheEndIsTheSame) { testing::kill_everywhere(Injector::When::kBefore, live); }
TEST(CloneFaults, KilledAfterAnyCallTheEndIsTheSame) { testing::kill_everywhere(Injector::When::kAfter, live); }

TEST(Clones, OfAStoppedInstanceRun) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId source = testing::launch_with_disks(cloud, "", 1);
  cloud.set_power_surely(source, model::Power::kStopped);
  cloud.settle();
  const model::InstanceId clone = cloud.launch_surely(clone_request(cloud, source, "")).instances[0];
  cloud.settle();
  EXPECT_EQ(cloud.observed(source).state, model::InstanceState::kStopped);
  EXPECT_EQ(cloud.observed(clone).state, model::InstanceState::kRunning);
}

TEST(Clones, OfWhatIsGoneEndWithTheReason) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId source = testing::launch_with_disks(cloud, "", 2);
  const LaunchRequest wish = clone_request(cloud, source, "");
  cloud.set_power_surely(source, model::Power::kTerminated);
  cloud.settle();
  const std::vector<std::string> volumes = cloud.keys("v1/volumes/");
  const model::InstanceId clone = cloud.launch_surely(wish).instances[0];
  cloud.settle();
  const model::InstanceObserved observed = cloud.observed(clone);
  EXPECT_EQ(observed.state, model::InstanceState::kTerminated);
  EXPECT_EQ(observed.reason, "The disks of " + source.text() + " could not be copied: its volume is gone");
  EXPECT_TRUE(cloud.keys("v1/snapshots/").empty());
  EXPECT_EQ(cloud.keys("v1/volumes/"), volumes) << "also the one that would stay when an instance ends is gone";
}

// What its host says of a snapshot that a clone waits for.
void tell_of_snapshots(Cloud& cloud, model::SnapshotState state, const std::string& reason) {
  for (const std::string& key : cloud.keys("v1/snapshots/")) {
    if (!key.ends_with("/observed")) continue;
    auto observed = cloud.stored<model::SnapshotObserved>(key);
    observed.state = state;
    observed.reason = reason;
    ASSERT_TRUE(cloud.store().put(key, model::encode(observed)).ok());
  }
}

TEST(Clones, TellWhatTheyWaitForAndWhyTheyCannotBe) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId source = testing::launch_with_disks(cloud, "", 1);
  const model::InstanceId clone = cloud.launch_surely(clone_request(cloud, source, "")).instances[0];
  CloneController clones(cloud.store(), cloud.clock);
  tell_of_snapshots(cloud, model::SnapshotState::kPending, "there is no room");
  ASSERT_TRUE(clones.run_once());
  EXPECT_EQ(cloud.observed(clone).state, model::InstanceState::kPending);
  EXPECT_EQ(cloud.observed(clone).reason, "the disks of " + source.text() + " are not copied yet: there is no room");
  const auto log = [&] { return cloud.stored<model::EventLog>(model::events_key(clone)).events; };
  EXPECT_EQ(log().back().what, "waiting");
  const std::size_t told = log().size();
  ASSERT_TRUE(clones.run_once());
  EXPECT_EQ(log().size(), told) << "once";
  tell_of_snapshots(cloud, model::SnapshotState::kError, "it has too many layers");
  ASSERT_TRUE(clones.run_once());
  EXPECT_EQ(cloud.observed(clone).state, model::InstanceState::kTerminated);
  EXPECT_EQ(cloud.observed(clone).reason,
            "The disks of " + source.text() + " could not be copied: it has too many layers");
  EXPECT_EQ(log().back().why, cloud.observed(clone).reason);
}

TEST(Clones, TerminatedBeforeTheirDisksAreCopiedLeaveNothing) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId source = testing::launch_with_disks(cloud, "", 2);
  const std::size_t volumes = cloud.keys("v1/volumes/").size();
  const model::InstanceId clone = cloud.launch_surely(clone_request(cloud, source, "")).instances[0];
  cloud.set_power_surely(clone, model::Power::kTerminated);
  cloud.settle();
  EXPECT_EQ(cloud.observed(clone).state, model::InstanceState::kTerminated);
  EXPECT_EQ(cloud.starts(clone), 0U);
  EXPECT_TRUE(cloud.keys("v1/snapshots/").empty());
  EXPECT_EQ(cloud.keys("v1/volumes/").size(), volumes);
}

TEST(Clones, WithoutRoomEndAsLaunchesDo) {
  Cloud cloud(1);
  cloud.capacity = {2, 1024, 100};
  cloud.settle();
  const model::InstanceId source = testing::launch_with_disks(cloud, "", 1);
  const std::size_t volumes = cloud.keys("v1/volumes/").size();
  const model::InstanceId clone = cloud.launch_surely(clone_request(cloud, source, "")).instances[0];
  cloud.settle();
  EXPECT_EQ(cloud.observed(clone).reason_code, "Server.InsufficientInstanceCapacity");
  EXPECT_TRUE(cloud.keys("v1/snapshots/").empty());
  EXPECT_EQ(cloud.keys("v1/volumes/").size(), volumes);
  cloud.expect_sound();
}

}  // namespace
}  // namespace pileus::control
