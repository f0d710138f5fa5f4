// Instances that move between simulated hosts; killed at any call of the store the end is the same.
#include "control/migration.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/testing/cloud.h"
#include "control/testing/disks.h"
#include "control/testing/kill_everywhere.h"
#include "model/account.h"

namespace pileus::control {
namespace {

using testing::Cloud;
using testing::Injector;

Result<model::HostId> begin(Cloud& cloud, state::Store& store, const MigrationWish& wish) {
  SharedView view(store);
  return begin_migration(store, cloud.clock, view, placement::kSpreading, wish);
}

MigrationWish wish_of(model::InstanceId id, model::HostId to = {}, bool may_go_down = true) {
  return {.id = id, .to = to, .may_go_down = may_go_down, .by = "owner", .beside = {}};
}

// As clients do: again while the answer is "perhaps".
void migrate_surely(Cloud& cloud, const MigrationWish& wish) {
  for (int i = 0; i < 5; i++) {
    const Result<model::HostId> begun = begin(cloud, cloud.faulty(), wish);
    if (begun) return;
    EXPECT_EQ(begun.error().code(), ErrorCode::kTimeout) << begun.error().message();
  }
  ADD_FAILURE() << "no migration";
}

model::InstancePlaced placed(Cloud& cloud, model::InstanceId id) {
  return cloud.stored<model::InstancePlaced>(model::placed_key(id));
}

// All of its volumes live on that host, and are the instance's there.
void expect_whole_on(Cloud& cloud, model::InstanceId id, model::HostId host) {
  EXPECT_EQ(placed(cloud, id).host, host);
  EXPECT_FALSE(placed(cloud, id).migration.to);
  const auto desired = cloud.stored<model::InstanceDesired>(model::desired_key(id));
  const auto has = cloud.observed(id).attached_volumes;
  EXPECT_EQ(has.size(), desired.disks.size());
  for (const model::DiskWish& disk : desired.disks) {
    EXPECT_EQ(std::ranges::count(has, disk.volume), 1);
    const auto volume = cloud.stored<model::VolumePlaced>(model::placed_key(disk.volume));
    EXPECT_EQ(volume.host, host);
    EXPECT_FALSE(volume.leaving);
    EXPECT_EQ(cloud.stored<model::VolumeObserved>(model::observed_key(disk.volume)).epoch, volume.epoch);
  }
  cloud.expect_sound();
}

// Of one that runs. The number of calls of the store.
u64 move_running(u64 fail_at, Injector::When when) {
  Cloud cloud(2);
  cloud.injector.fail_at = fail_at;
  cloud.injector.when = when;
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "t", 2, Cloud::host_id(0));
  migrate_surely(cloud, wish_of(id, Cloud::host_id(1)));
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
  expect_whole_on(cloud, id, Cloud::host_id(1));
  EXPECT_EQ(placed(cloud, id).epoch, 2U);
  EXPECT_EQ(placed(cloud, id).why.front(), "moved here from " + Cloud::host_id(0).text());
  EXPECT_FALSE(cloud.machines[0].vms.contains(id));
  EXPECT_TRUE(cloud.machines[1].vms.contains(id));
  EXPECT_EQ(cloud.starts(id), 2U);
  return cloud.injector.calls;
}

// Of a stopped one.
u64 move_stopped(u64 fail_at, Injector::When when) {
  Cloud cloud(2);
  cloud.injector.fail_at = fail_at;
  cloud.injector.when = when;
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "t", 1, Cloud::host_id(0));
  cloud.set_power_surely(id, model::Power::kStopped);
  cloud.settle();
  migrate_surely(cloud, wish_of(id, {}, false));
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kStopped);
  expect_whole_on(cloud, id, Cloud::host_id(1));
  EXPECT_EQ(cloud.starts(id), 1U) << "a stopped one stays stopped";
  return cloud.injector.calls;
}

TEST(MigrationFaults, OfARunningOneKilledBeforeAnyCall) {
  testing::kill_everywhere(Injector::When::kBefore, move_running);
}
TEST(MigrationFaults, OfARunningOneKilledAfterAnyCall) {
  testing::kill_everywhere(Injector::When::kAfter, move_running);
}
TEST(MigrationFaults, OfAStoppedOneKilledBeforeAnyCall) {
  testing::kill_everywhere(Injector::When::kBefore, move_stopped);
}
TEST(MigrationFaults, OfAStoppedOneKilledAfterAnyCall) {
  testing::kill_everywhere(Injector::When::kAfter, move_stopped);
}

TEST(Migrations, OfARunningInstanceNeedALeaveToTakeItDown) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  const auto refused = begin(cloud, cloud.store(), wish_of(id, {}, false));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message().find("no instance is moved while it runs"), std::string::npos);
  EXPECT_EQ(placed(cloud, id).host, Cloud::host_id(0));
  EXPECT_FALSE(placed(cloud, id).migration.to);
}

TEST(Migrations, AskedForTwiceAreOne) {
  Cloud cloud(3);
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  const model::HostId to = begin(cloud, cloud.store(), wish_of(id, Cloud::host_id(1))).value();
  EXPECT_EQ(begin(cloud, cloud.store(), wish_of(id)).value(), to);
  EXPECT_EQ(begin(cloud, cloud.store(), wish_of(id, Cloud::host_id(2))).error().code(), ErrorCode::kInvalid);
  cloud.expect_sound();
  cloud.settle();
  expect_whole_on(cloud, id, to);
  EXPECT_EQ(placed(cloud, id).migrations, 1U);
  EXPECT_EQ(begin(cloud, cloud.store(), wish_of(id, to)).error().code(), ErrorCode::kInvalid) << "it is there";
}

TEST(Migrations, WithoutRoomSayWhyAndChangeNothing) {
  Cloud cloud(2);
  cloud.capacity = {2, 1024, 100};
  cloud.settle();
  const model::InstanceId first = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  const model::InstanceId second = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(1));
  const auto refused = begin(cloud, cloud.store(), wish_of(first));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kExhausted);
  EXPECT_NE(refused.error().message().find("1 have it now, 1 have fewer than 2 vCPUs free"), std::string::npos)
      << refused.error().message();
  cloud.settle();
  EXPECT_EQ(cloud.observed(first).state, model::InstanceState::kRunning);
  EXPECT_EQ(cloud.observed(second).state, model::InstanceState::kRunning);
  cloud.expect_sound();
}

// The room at the target is held from the beginning.
TEST(Migrations, HoldRoomWhereTheyGo) {
  Cloud cloud(2);
  cloud.capacity = {2, 1024, 100};
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  ASSERT_TRUE(begin(cloud, cloud.store(), wish_of(id)).ok());
  const model::InstanceId other = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.round();
  cloud.expect_sound();
  cloud.settle();
  expect_whole_on(cloud, id, Cloud::host_id(1));
  // When it was decided, both hosts were full, or the first had been left already.
  const model::InstanceState state = cloud.observed(other).state;
  EXPECT_TRUE(state == model::InstanceState::kTerminated || placed(cloud, other).host == Cloud::host_id(0));
}

// Rounds until the instance is to be down, or more.
void go_on_until_down(Cloud& cloud, model::InstanceId id) {
  for (int i = 0; i < 20 && !placed(cloud, id).migration.down; ++i) cloud.round();
  EXPECT_TRUE(placed(cloud, id).migration.down);
}

void set_mode(Cloud& cloud, model::HostId id, model::HostMode mode) {
  auto host = read<model::HostDesired>(cloud.store(), model::desired_key(id)).value();
  host.value.mode = mode;
  EXPECT_TRUE(cloud.store().put(model::desired_key(id), model::encode(host.value)).ok());
}

TEST(Migrations, GiveUpWhenTheTargetGetsNoInstancesAnyMore) {
  for (int rounds = 0; rounds < 12; ++rounds) {
    Cloud cloud(2);
    cloud.settle();
    const model::InstanceId id = testing::launch_with_disks(cloud, "", 2, Cloud::host_id(0));
    ASSERT_TRUE(begin(cloud, cloud.store(), wish_of(id)).ok());
    for (int i = 0; i < rounds; ++i) cloud.round();
    const bool arrived = placed(cloud, id).host == Cloud::host_id(1);
    set_mode(cloud, Cloud::host_id(1), model::HostMode::kMaintenance);
    cloud.settle();
    EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
    expect_whole_on(cloud, id, Cloud::host_id(arrived ? 1 : 0));
    if (HasFailure()) FAIL() << "after " << rounds << " rounds";
    if (arrived) return;
    const auto log = cloud.stored<model::EventLog>(model::events_key(id));
    EXPECT_TRUE(std::ranges::any_of(
        log.events, [](const model::Event& event) { return event.why == "the other host is in maintenance"; }));
  }
  FAIL() << "it never arrives";
}

TEST(Migrations, GiveUpAfterAnHour) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  ASSERT_TRUE(begin(cloud, cloud.store(), wish_of(id)).ok());
  cloud.clock.advance(kMigrationPatience);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kRunning);
  EXPECT_FALSE(placed(cloud, id).migration.to);
  EXPECT_EQ(placed(cloud, id).host, Cloud::host_id(0));
  cloud.expect_sound();
}

TEST(Migrations, EndWithTheirInstance) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 2, Cloud::host_id(0));
  ASSERT_TRUE(begin(cloud, cloud.store(), wish_of(id)).ok());
  go_on_until_down(cloud, id);
  cloud.set_power_surely(id, model::Power::kTerminated);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kTerminated);
  EXPECT_FALSE(cloud.stored<model::InstancePlaced>(model::placed_key(id)).host);
  EXPECT_EQ(cloud.vm_count(), 0U);
  cloud.expect_sound();
}

TEST(Migrations, FollowTheWishesOfTheOwner) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  ASSERT_TRUE(begin(cloud, cloud.store(), wish_of(id)).ok());
  go_on_until_down(cloud, id);
  cloud.set_power_surely(id, model::Power::kStopped);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, model::InstanceState::kStopped);
  expect_whole_on(cloud, id, Cloud::host_id(1));
}

TEST(Migrations, OfAStoppedInstanceHaveItStartThere) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = testing::launch_with_disks(cloud, "", 1, Cloud::host_id(0));
  cloud.set_power_surely(id, model::Power::kStopped);
  cloud.settle();
  ASSERT_TRUE(begin(cloud, cloud.store(), wish_of(id, {}, false)).ok());
  cloud.set_power_surely(id, model::Power::kRunning);  // on its way
  cloud.settle();
  EXPECT_FALSE(cloud.machines[0].vms.contains(id));
  EXPECT_TRUE(cloud.machines[1].vms.contains(id));
  expect_whole_on(cloud, id, Cloud::host_id(1));
}

TEST(Migrations, OfASpreadGroupStayApart) {
  Cloud cloud(3);
  cloud.settle();
  model::PlacementGroup group;
  group.id = model::PlacementGroupId(5);
  group.strategy = model::GroupStrategy::kSpread;
  group.spread_level = model::SpreadLevel::kHost;
  ASSERT_TRUE(cloud.store().put(model::desired_key(group.id), model::encode(group)).ok());
  std::vector<model::InstanceId> ids;
  for (int i = 0; i < 2; ++i) {
    LaunchRequest request = cloud.request("");
    request.prototype.wish.group = group.id;
    ids.push_back(cloud.launch_surely(request).instances[0]);
    cloud.settle();
  }
  const model::HostId other = placed(cloud, ids[1]).host;
  EXPECT_EQ(begin(cloud, cloud.store(), wish_of(ids[0], other)).error().code(), ErrorCode::kExhausted);
  const model::HostId to = begin(cloud, cloud.store(), wish_of(ids[0])).value();
  EXPECT_NE(to, other);
  cloud.settle();
  EXPECT_EQ(placed(cloud, ids[0]).host, to);
  EXPECT_EQ(cloud.observed(ids[0]).state, model::InstanceState::kRunning);
}

}  // namespace
}  // namespace pileus::control
