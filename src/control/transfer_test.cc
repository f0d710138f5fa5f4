// Imports and exports in a whole cloud of simulated hosts; killed at any call of the store the end is the same.
#include <gtest/gtest.h>

#include "control/testing/cloud.h"
#include "control/transfer_reports.h"
#include "model/image.h"

namespace pileus::control {
namespace {

using model::TransferState;
using testing::Cloud;
using testing::Injector;

constexpr model::TransferId kTransfer{3};
constexpr model::ImageId kImage{4};
constexpr model::SnapshotId kFirst{5}, kSecond{6};

model::TransferDesired import_of_two() {
  model::TransferDesired desired;
  desired.id = kTransfer;
  desired.account = testing::test_account();
  desired.disks = {{"/dev/xvda", "", "raw", {"http://a/root", "", ""}, kFirst},
                   {"/dev/xvdf", "", "", {"", "bucket", "data"}, kSecond}};
  desired.image = kImage;
  desired.image_name = "two";
  return desired;
}

void ask_for(Cloud& cloud, const model::TransferDesired& desired) {
  model::TransferObserved observed;
  observed.id = desired.id;
  Change change;
  change.update(model::desired_key(desired.id), desired, 0);
  change.update(model::observed_key(desired.id), observed, 0);
  change.put(model::image_name_key(desired.account, desired.image_name), desired.image.text());
  EXPECT_TRUE(change.commit(cloud.store()).value());
}

model::TransferObserved observed(Cloud& cloud) {
  return cloud.stored<model::TransferObserved>(model::observed_key(kTransfer));
}

u64 import(u64 fail_at, Injector::When when) {
  Cloud cloud(2);
  cloud.injector.fail_at = fail_at;
  cloud.injector.when = when;
  cloud.settle();
  ask_for(cloud, import_of_two());
  cloud.settle();
  EXPECT_EQ(observed(cloud).state, TransferState::kCompleted);
  EXPECT_EQ(observed(cloud).progress_percent, 100U);
  for (const model::SnapshotId id : {kFirst, kSecond}) {
    EXPECT_EQ(cloud.stored<model::SnapshotDesired>(model::desired_key(id)).size_gib, 1U);
    const auto snapshot = cloud.stored<model::SnapshotObserved>(model::observed_key(id));
    EXPECT_EQ(snapshot.state, model::SnapshotState::kCompleted);
    EXPECT_EQ(snapshot.layers.size(), 1U);
  }
  const auto image = cloud.stored<model::ImageDesired>(model::desired_key(kImage));
  EXPECT_EQ(image.name, "two");
  EXPECT_EQ(image.disks.size(), 2U);
  EXPECT_EQ(image.snapshot, kFirst);
  EXPECT_EQ(cloud.stored<model::ImageObserved>(model::observed_key(kImage)).state, model::ImageState::kAvailable);

  cloud.clock.advance(kTransferLife);
  cloud.settle();
  EXPECT_TRUE(cloud.keys("v1/transfers/").empty());
  EXPECT_FALSE(cloud.keys("v1/images/").empty());
  return cloud.injector.calls;
}

TEST(Transfers, BecomeSnapshotsAndAnImage) { import(0, Injector::When::kBefore); }

TEST(Transfers, SurviveKillsAtAnyCall) {
  const u64 calls = import(0, Injector::When::kBefore);
  for (const auto when : {Injector::When::kBefore, Injector::When::kAfter}) {
    for (u64 call = 1; call <= calls; call += 3) {
      SCOPED_TRACE(call);
      import(call, when);
      if (HasFailure()) return;
    }
  }
}

// No half of an image, and its name is free again.
TEST(Transfers, LeaveNothingWhenTheyFail) {
  Cloud cloud(0);
  ask_for(cloud, import_of_two());
  cloud.settle();
  EXPECT_EQ(observed(cloud).state, TransferState::kActive);
  EXPECT_EQ(observed(cloud).message, "waits for a host that can do it");
  model::TransferPlaced placed;
  placed.id = kTransfer;
  placed.host = Cloud::host_id(0);
  ASSERT_TRUE(cloud.store().put(model::placed_key(kTransfer), model::encode(placed)));

  model::TransferObserved told = observed(cloud);
  told.state = TransferState::kCompleted;
  EXPECT_EQ(observe_transfer(cloud.store(), cloud.clock, placed.host, told).error().code(), ErrorCode::kInvalid)
      << "without its disks";
  told.state = TransferState::kFailed;
  told.message = "this is no disk";
  EXPECT_EQ(observe_transfer(cloud.store(), cloud.clock, Cloud::host_id(1), told).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(observe_transfer(cloud.store(), cloud.clock, placed.host, told));
  EXPECT_EQ(observed(cloud).state, TransferState::kFailed);
  EXPECT_EQ(observed(cloud).message, "this is no disk");
  for (const char* folder : {"v1/images/", "v1/snapshots/", "v1/image-names/"}) {
    EXPECT_TRUE(cloud.keys(folder).empty()) << folder;
  }
  told.state = TransferState::kCompleted;
  EXPECT_EQ(observe_transfer(cloud.store(), cloud.clock, placed.host, told).error().code(), ErrorCode::kNotFound);
}

TEST(Transfers, AreCancelled) {
  Cloud cloud(0);
  model::TransferDesired desired = import_of_two();
  desired.wanted = false;
  ask_for(cloud, desired);
  cloud.settle();
  EXPECT_EQ(observed(cloud).state, TransferState::kFailed);
  EXPECT_EQ(observed(cloud).message, "it was cancelled");
}

TEST(Transfers, FailWithTheHostThatHasTheFile) {
  Cloud cloud(1);
  cloud.settle();
  model::TransferDesired desired = import_of_two();
  desired.host = Cloud::host_id(7);
  ask_for(cloud, desired);
  cloud.settle();
  EXPECT_EQ(observed(cloud).state, TransferState::kFailed);
}

// Else the host would remove the first disk while it works on the second.
TEST(Transfers, KeepTheLayersThatAreThereUntilTheyHaveEnded) {
  Cloud cloud(0);
  ask_for(cloud, import_of_two());
  const std::string layer(64, 'a');
  model::TransferObserved half = observed(cloud);
  half.disks = {{layer, 512, 512}};
  ASSERT_TRUE(cloud.store().put(model::observed_key(kTransfer), model::encode(half)));
  const auto is_needed = [&] {
    View view(cloud.store());
    EXPECT_TRUE(view.sync());
    return view.disks().is_needed(layer);
  };
  EXPECT_TRUE(is_needed());
  half.state = TransferState::kFailed;
  ASSERT_TRUE(cloud.store().put(model::observed_key(kTransfer), model::encode(half)));
  EXPECT_FALSE(is_needed());
}

// A transfer of no host in particular goes on elsewhere; what was done is done again there.
TEST(Transfers, LeaveAHostThatIsLost) {
  Cloud cloud(2);
  cloud.settle();
  model::TransferPlaced placed;
  placed.id = kTransfer;
  placed.host = Cloud::host_id(7);
  ASSERT_TRUE(cloud.store().put(model::placed_key(kTransfer), model::encode(placed)));
  ask_for(cloud, import_of_two());
  cloud.settle();
  EXPECT_EQ(observed(cloud).state, TransferState::kCompleted);
}

}  // namespace
}  // namespace pileus::control
