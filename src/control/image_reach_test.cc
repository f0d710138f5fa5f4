// Where an image of the library can be launched, and that the scheduler goes by it.
#include "control/image_reach.h"

#include <gtest/gtest.h>

#include "control/simulated_fleet.h"
#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using placement::ImageReach;
using testing::Cloud;

class ImageReachTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cloud_.settle();
    model::ImageDesired desired;
    desired.id = image_;
    desired.name = "small";
    put(model::desired_key(image_), desired);
    publish("");
  }
  template <typename Record>
  void put(const std::string& key, const Record& record) {
    ASSERT_TRUE(cloud_.store().put(key, model::encode(record)).ok());
  }
  void publish(const std::string& layer) {
    model::ImageObserved observed;
    observed.id = image_;
    observed.state = model::ImageState::kAvailable;
    observed.manifest = layer;
    put(model::observed_key(image_), observed);
  }
  void give_image(u32 host) {
    auto observed = cloud_.stored<model::HostObserved>(model::observed_key(Cloud::host_id(host)));
    observed.images = {image_};
    put(model::observed_key(observed.id), observed);
  }
  void give_layer(u32 host, const std::string& address) {
    put(model::layers_key(Cloud::host_id(host)), model::HostLayers{Cloud::host_id(host), address, {"layer"}});
  }
  ImageReach reach() {
    View view(cloud_.store());
    EXPECT_TRUE(view.sync());
    return image_reach(view, image_);
  }
  bool nowhere() {
    View view(cloud_.store());
    EXPECT_TRUE(view.sync());
    return is_nowhere(view, image_);
  }

  Cloud cloud_{3};
  const model::ImageId image_ = library_image_id("small");
};

TEST_F(ImageReachTest, IsOfHostsThatHaveIt) {
  EXPECT_EQ(reach(), ImageReach::kLocal);
  EXPECT_TRUE(nowhere());
  give_image(1);
  EXPECT_EQ(reach(), ImageReach::kLocal);
  EXPECT_FALSE(nowhere());
}

TEST_F(ImageReachTest, IsWiderWhereAHostGivesItsLayerAway) {
  publish("layer");
  give_layer(1, "");
  EXPECT_EQ(reach(), ImageReach::kLocal) << "others cannot reach that host";
  give_layer(1, "https://10.0.0.2:7450");
  EXPECT_EQ(reach(), ImageReach::kShared);
  EXPECT_FALSE(nowhere());
  publish("another");
  EXPECT_EQ(reach(), ImageReach::kLocal);
}

TEST_F(ImageReachTest, IsNotKnownOfImagesOfSnapshots) {
  model::ImageDesired desired;
  desired.id = image_;
  desired.name = "mine";
  desired.disks.emplace_back();
  put(model::desired_key(image_), desired);
  EXPECT_EQ(reach(), ImageReach::kUnknown);
  EXPECT_FALSE(nowhere());
}

TEST_F(ImageReachTest, BindsTheScheduler) {
  give_image(1);
  LaunchRequest request = cloud_.request("");
  request.prototype.image = image_;
  for (int i = 0; i < 3; ++i) {
    const model::InstanceId id = cloud_.launch_surely(request).instances[0];
    cloud_.settle();
    const auto placed = cloud_.stored<model::InstancePlaced>(model::placed_key(id));
    EXPECT_EQ(placed.host, Cloud::host_id(1));
    EXPECT_EQ(placed.why.front(),
              "2 hosts lack the image, which no host gives to others, e.g. " + Cloud::host_id(0).text());
  }
}

TEST_F(ImageReachTest, OfAFleetIsEverywhere) {
  SimulatedFleet fleet(cloud_.store(), cloud_.clock, std::make_shared<SharedView>(cloud_.store()));
  SimulatedMachine machine;
  model::HostObserved self;
  self.id = Cloud::host_id(2);
  self.capacity = cloud_.capacity;
  fleet.add(machine, self);
  ASSERT_TRUE(fleet.run_once());
  const auto told = [&] { return cloud_.stored<model::HostObserved>(model::observed_key(self.id)).images; };
  EXPECT_EQ(told(), std::vector<model::ImageId>{image_});
  const model::ImageId later = library_image_id("later");
  model::ImageDesired desired;
  desired.id = later;
  desired.name = "later";
  put(model::desired_key(later), desired);
  ASSERT_TRUE(fleet.run_once());
  EXPECT_EQ(told().size(), 2U);
}

}  // namespace
}  // namespace pileus::control
