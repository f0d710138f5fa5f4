// Volumes, snapshots and images of a whole cloud of simulated hosts; killed at any call of the store the end is the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "control/testing/cloud.h"
#include "control/testing/kill_everywhere.h"
#include "model/image.h"

namespace pileus::control {
namespace {

using testing::Cloud;
using testing::Injector;

constexpr u64 kGiB = 8;

model::VolumeId add_volume(Cloud& cloud, u64 number) {
  model::VolumeDesired desired;
  desired.id = model::VolumeId(number);
  desired.account = testing::test_account();
  desired.zone = "a";
  desired.size_gib = kGiB;
  model::VolumeObserved observed;
  observed.id = desired.id;
  observed.state = model::VolumeState::kAvailable;
  Change change;
  change.update(model::desired_key(desired.id), desired, 0);
  change.update(model::observed_key(desired.id), observed, 0);
  EXPECT_TRUE(change.commit(cloud.store()).value());
  return desired.id;
}

// What AttachVolume and DetachVolume write.
void attach(Cloud& cloud, model::VolumeId id, model::InstanceId to, bool delete_on_termination = false) {
  auto volume = read<model::VolumeDesired>(cloud.store(), model::desired_key(id)).value();
  auto instance = read<model::InstanceDesired>(cloud.store(), model::desired_key(to)).value();
  const auto host = cloud.stored<model::InstancePlaced>(model::placed_key(to)).host;
  volume.value.attached_to = to;
  instance.value.disks.push_back({"/dev/xvdf", id, kGiB, delete_on_termination, cloud.clock.now()});
  Change change;
  change.update(model::desired_key(id), volume.value, volume.revision);
  change.update(model::desired_key(to), instance.value, instance.revision);
  if (!cloud.store().get(model::placed_key(id)).value()) {
    model::VolumePlaced placed;
    placed.id = id;
    placed.host = host;
    placed.epoch = 1;
    change.update(model::placed_key(id), placed, 0);
  }
  EXPECT_TRUE(change.commit(cloud.store()).value());
}

void detach(Cloud& cloud, model::VolumeId id) {
  auto volume = read<model::VolumeDesired>(cloud.store(), model::desired_key(id)).value();
  auto instance = read<model::InstanceDesired>(cloud.store(), model::desired_key(volume.value.attached_to)).value();
  std::erase_if(instance.value.disks, [&](const model::DiskWish& disk) { return disk.volume == id; });
  volume.value.attached_to = {};
  Change change;
  change.update(model::desired_key(id), volume.value, volume.revision);
  change.update(model::desired_key(instance.value.id), instance.value, instance.revision);
  EXPECT_TRUE(change.commit(cloud.store()).value());
}

model::SnapshotId add_snapshot(Cloud& cloud, model::VolumeId volume, u64 number) {
  model::SnapshotDesired desired;
  desired.id = model::SnapshotId(number);
  desired.volume = volume;
  model::SnapshotObserved observed;
  observed.id = desired.id;
  Change change;
  change.update(model::desired_key(desired.id), desired, 0);
  change.update(model::observed_key(desired.id), observed, 0);
  EXPECT_TRUE(change.commit(cloud.store()).value());
  return desired.id;
}

bool has(Cloud& cloud, model::InstanceId instance, model::VolumeId volume) {
  return std::ranges::count(cloud.observed(instance).attached_volumes, volume) == 1;
}

// A volume's life: attached, snapshotted, moved to an instance on another host, left by its instance, deleted. The number
// of calls of the store that it took.
u64 live(u64 fail_at, Injector::When when) {
  Cloud cloud(2);
  cloud.injector.fail_at = fail_at;
  cloud.injector.when = when;
  cloud.settle();
  LaunchRequest request = cloud.request("t");
  request.prototype.wish.host = Cloud::host_id(0);
  const model::InstanceId first = cloud.launch_surely(request).instances[0];
  request = cloud.request("u");
  request.prototype.wish.host = Cloud::host_id(1);
  const model::InstanceId second = cloud.launch_surely(request).instances[0];
  cloud.settle();

  const model::VolumeId volume = add_volume(cloud, 7);
  attach(cloud, volume, first);
  cloud.settle();
  EXPECT_TRUE(has(cloud, first, volume));
  const model::SnapshotId snapshot = add_snapshot(cloud, volume, 9);
  cloud.settle();
  const auto taken = cloud.stored<model::SnapshotObserved>(model::observed_key(snapshot));
  EXPECT_EQ(taken.state, model::SnapshotState::kCompleted);
  EXPECT_EQ(taken.layers.size(), 1U);

  detach(cloud, volume);
  attach(cloud, volume, second);
  cloud.settle();
  EXPECT_FALSE(has(cloud, first, volume));
  EXPECT_TRUE(has(cloud, second, volume));
  const auto placed = cloud.stored<model::VolumePlaced>(model::placed_key(volume));
  EXPECT_EQ(placed.host, Cloud::host_id(1));
  EXPECT_EQ(placed.epoch, 2U);
  EXPECT_FALSE(placed.leaving);
  EXPECT_EQ(placed.layers.size(), 1U) << "what it held travels with it";
  EXPECT_EQ(cloud.stored<model::VolumeObserved>(model::observed_key(volume)).epoch, 2U);

  cloud.set_power_surely(second, model::Power::kTerminated);
  cloud.settle();
  EXPECT_FALSE(cloud.stored<model::VolumeDesired>(model::desired_key(volume)).attached_to);
  EXPECT_EQ(cloud.stored<model::VolumePlaced>(model::placed_key(volume)).host, Cloud::host_id(1));

  attach(cloud, volume, first, true);
  cloud.settle();
  EXPECT_TRUE(has(cloud, first, volume));
  cloud.set_power_surely(first, model::Power::kTerminated);
  cloud.settle();
  EXPECT_TRUE(cloud.keys("v1/volumes/").empty()) << "deleted on termination";
  EXPECT_EQ(cloud.stored<model::SnapshotObserved>(model::observed_key(snapshot)), taken) << "it outlives its volume";
  cloud.expect_sound();
  return cloud.injector.calls;
}

TEST(VolumeFaults, KilledBeforeAnyCallTheEndIsTheSame) { testing::kill_everywhere(Injector::When::kBefore, live); }
TEST(VolumeFaults, KilledAfterAnyCallTheEndIsTheSame) { testing::kill_everywhere(Injector::When::kAfter, live); }

TEST(Volumes, ADeletedOneGoesWhenItsHostHasRemovedIt) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId instance = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  const model::VolumeId volume = add_volume(cloud, 7);
  attach(cloud, volume, instance);
  cloud.settle();
  detach(cloud, volume);
  auto desired = read<model::VolumeDesired>(cloud.store(), model::desired_key(volume)).value();
  desired.value.wanted = false;
  ASSERT_TRUE(cloud.store().put(model::desired_key(volume), model::encode(desired.value)));
  cloud.settle();
  EXPECT_TRUE(cloud.keys("v1/volumes/").empty());
}

TEST(Snapshots, OfAVolumeThatIsGoneHaveFailed) {
  Cloud cloud(1);
  cloud.settle();
  const model::SnapshotId snapshot = add_snapshot(cloud, model::VolumeId(7), 9);
  cloud.settle();
  const auto observed = cloud.stored<model::SnapshotObserved>(model::observed_key(snapshot));
  EXPECT_EQ(observed.state, model::SnapshotState::kError);
  EXPECT_EQ(observed.reason, "its volume is gone");
}

model::ImageState image_of(Cloud& cloud, model::SnapshotId snapshot) {
  model::ImageDesired desired;
  desired.id = model::ImageId(3);
  desired.disks = {{"/dev/xvda", snapshot, kGiB, "gp3", true}};
  model::ImageObserved observed;
  observed.id = desired.id;
  EXPECT_TRUE(cloud.store().put(model::desired_key(desired.id), model::encode(desired)));
  EXPECT_TRUE(cloud.store().put(model::observed_key(desired.id), model::encode(observed)));
  cloud.settle();
  return cloud.stored<model::ImageObserved>(model::observed_key(desired.id)).state;
}

TEST(Images, AreAvailableWhenTheirSnapshotsAreCompleted) {
  Cloud cloud(1);
  cloud.settle();
  const model::InstanceId instance = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  const model::VolumeId volume = add_volume(cloud, 7);
  attach(cloud, volume, instance);
  EXPECT_EQ(image_of(cloud, add_snapshot(cloud, volume, 9)), model::ImageState::kAvailable);
}

TEST(Images, OfALostSnapshotHaveFailed) {
  Cloud cloud(1);
  cloud.settle();
  EXPECT_EQ(image_of(cloud, add_snapshot(cloud, model::VolumeId(7), 9)), model::ImageState::kFailed);
}

}  // namespace
}  // namespace pileus::control
