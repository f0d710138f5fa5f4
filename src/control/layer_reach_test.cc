// Where instances can be launched whose disks begin as layers, and that the scheduler goes by it.
#include "control/layer_reach.h"

#include <gtest/gtest.h>

#include "control/disk_reports.h"
#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using testing::Cloud;
const std::string kAddress = "https://10.0.0.2:7450";

class LayerReachTest : public ::testing::Test {
 protected:
  void SetUp() override { cloud_.settle(); }

  void give(u32 host, const model::Layers& layers, const std::string& address = "") {
    put(model::layers_key(Cloud::host_id(host)), model::HostLayers{Cloud::host_id(host), address, layers});
  }
  template <typename Record>
  void put(const std::string& key, const Record& record) {
    ASSERT_TRUE(cloud_.store().put(key, model::encode(record)).ok());
  }
  // An instance whose disk begins as these.
  model::InstanceId launch(const model::Layers& layers) {
    LaunchRequest request = cloud_.request("");
    request.prepare = [=](Change& change, model::InstanceDesired& desired) -> Result<> {
      model::VolumeDesired volume;
      volume.id = model::VolumeId::random();
      volume.account = desired.account;
      volume.size_gib = 1;
      volume.begins_as = layers;
      volume.attached_to = desired.id;
      change.update(model::desired_key(volume.id), volume, 0);
      desired.disks = {{"/dev/xvda", volume.id, 1, true, 0}};
      return {};
    };
    return cloud_.launch_surely(request).instances[0];
  }
  std::optional<std::set<model::HostId>> reach(const model::Layers& layers) {
    const model::InstanceId id = launch(layers);
    View view(cloud_.store());
    EXPECT_TRUE(view.sync());
    return layer_hosts(view, view.find(id)->desired.value);
  }

  Cloud cloud_{3};
};

using Hosts = std::set<model::HostId>;

TEST_F(LayerReachTest, IsNotBoundByWhatOthersGiveAwayOrNobodyTellsOf) {
  give(0, {"a"}, kAddress);
  EXPECT_FALSE(reach({}));
  EXPECT_FALSE(reach({"a"}));
  EXPECT_FALSE(reach({"unknown"}));
}

TEST_F(LayerReachTest, IsOfHostsThatHoldWhatNobodyGivesAway) {
  give(0, {"a", "b"});
  give(1, {"b"});
  give(2, {"c"}, kAddress);
  EXPECT_EQ(reach({"b", "c"}), (Hosts{Cloud::host_id(0), Cloud::host_id(1)}));
  EXPECT_EQ(reach({"a", "b", "c"}), Hosts{Cloud::host_id(0)});
  give(2, {"a", "b", "c"}, kAddress);
  EXPECT_FALSE(reach({"a", "b", "c"}));
}

TEST_F(LayerReachTest, IsBoundWhenWhoGivesItAwayCannotBeReached) {
  give(1, {"a"}, kAddress);
  ASSERT_TRUE(cloud_.store().erase(model::alive_key(Cloud::host_id(1))).ok());
  EXPECT_EQ(reach({"a"}), Hosts{Cloud::host_id(1)});
}

TEST_F(LayerReachTest, BindsTheScheduler) {
  give(1, {"a"});
  const model::InstanceId id = launch({"a"});
  cloud_.settle();
  const auto placed = cloud_.stored<model::InstancePlaced>(model::placed_key(id));
  EXPECT_EQ(placed.host, Cloud::host_id(1));
  EXPECT_EQ(placed.why.front(),
            "2 hosts lack what its disks begin as, which no host that can be reached gives to others, e.g. " +
                Cloud::host_id(0).text());
  give(1, {});
  give(2, {"b"});
  give(0, {"a"});
  const model::InstanceId torn = launch({"a", "b"});
  cloud_.settle();
  EXPECT_EQ(cloud_.observed(torn).state, model::InstanceState::kTerminated);
  EXPECT_NE(cloud_.observed(torn).reason.find("3 lack what its disks begin as"), std::string::npos)
      << cloud_.observed(torn).reason;
}

// The scheduler may look before the host's next report.
TEST_F(LayerReachTest, WhoTellsOfASnapshotHasItsLayers) {
  const model::InstanceId id = launch({});
  cloud_.settle();
  const model::HostId host = cloud_.stored<model::InstancePlaced>(model::placed_key(id)).host;
  model::SnapshotDesired wish;
  wish.id = model::SnapshotId(5);
  wish.volume = cloud_.stored<model::InstanceDesired>(model::desired_key(id)).disks.at(0).volume;
  SnapshotObservation told;
  told.observed.id = wish.id;
  put(model::desired_key(wish.id), wish);
  put(model::observed_key(wish.id), told.observed);
  told.observed.state = model::SnapshotState::kCompleted;
  told.observed.layers = {"top"};
  ASSERT_TRUE(observe_snapshot(cloud_.store(), cloud_.clock, host, told).ok());
  EXPECT_EQ(cloud_.stored<model::HostLayers>(model::layers_key(host)).layers, model::Layers{"top"});
  EXPECT_EQ(reach({"top"}), Hosts{host});
}

TEST(LayerHolders, FollowWhatHostsSay) {
  const model::HostId one(1), two(2);
  LayerHolders holders;
  holders.change(one, {}, {"a", "b"});
  holders.change(two, {}, {"b"});
  EXPECT_EQ(holders.of("b"), (Hosts{one, two}));
  holders.change(one, {"a", "b"}, {"c"});
  EXPECT_TRUE(holders.of("a").empty());
  EXPECT_EQ(holders.of("b"), Hosts{two});
  EXPECT_EQ(holders.of("c"), Hosts{one});
  holders.change(two, {"b"}, {});
  EXPECT_TRUE(holders.of("b").empty());
}

}  // namespace
}  // namespace pileus::control
