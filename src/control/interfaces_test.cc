#include "control/interfaces.h"

#include <gtest/gtest.h>

#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using testing::Cloud;
constexpr model::InterfaceId kInterface(3);
constexpr model::SubnetId kSubnet(2);
constexpr model::AllocationId kElastic(4);

// An instance that has ended, with an interface of two addresses, to which an elastic address leads.
class InterfaceReaperTest : public ::testing::Test {
 protected:
  void end_with(bool delete_on_termination) {
    const model::InstanceId id = cloud_.launch_surely(cloud_.request("")).instances[0];
    model::InterfaceDesired interface;
    interface.id = kInterface;
    interface.subnet = kSubnet;
    interface.instance = id;
    interface.private_address = "10.0.0.4";
    interface.more_addresses = {"10.0.0.5"};
    interface.allocation = kElastic;
    interface.delete_on_termination = delete_on_termination;
    model::AddressDesired elastic;
    elastic.id = kElastic;
    elastic.interface = kInterface;
    elastic.association = model::AssociationId(5);
    auto desired = read<model::InstanceDesired>(cloud_.store(), model::desired_key(id));
    desired->value.interfaces = {kInterface};
    desired->value.power = model::Power::kTerminated;
    Change change;
    change.put(model::desired_key(id), model::encode(desired->value));
    change.put(model::desired_key(kInterface), model::encode(interface));
    change.put(model::desired_key(kElastic), model::encode(elastic));
    for (const char* address : {"10.0.0.4", "10.0.0.5"}) {
      change.put(model::subnet_address_key(kSubnet, address), kInterface.text());
    }
    ASSERT_TRUE(change.commit(cloud_.store()).ok());
    cloud_.settle();
    InterfaceReaper reaper(cloud_.store());
    ASSERT_EQ(*reaper.run_once(), 1U);
    ASSERT_EQ(*reaper.run_once(), 0U);
  }
  std::size_t claims() { return cloud_.keys(model::subnet_addresses_prefix(kSubnet)).size(); }
  model::AddressDesired elastic() { return cloud_.stored<model::AddressDesired>(model::desired_key(kElastic)); }

  Cloud cloud_{0};
};

TEST_F(InterfaceReaperTest, GivesAllAddressesBack) {
  end_with(true);
  EXPECT_FALSE(read<model::InterfaceDesired>(cloud_.store(), model::desired_key(kInterface))->exists());
  EXPECT_EQ(claims(), 0U);
  EXPECT_FALSE(elastic().interface);
  EXPECT_FALSE(elastic().association);
}

TEST_F(InterfaceReaperTest, LeavesAnInterfaceThatIsToOutliveItsInstance) {
  end_with(false);
  const auto left = cloud_.stored<model::InterfaceDesired>(model::desired_key(kInterface));
  EXPECT_EQ(left.id, kInterface);
  EXPECT_FALSE(left.instance);
  EXPECT_EQ(claims(), 2U);
  EXPECT_EQ(elastic().interface, kInterface);
}

}  // namespace
}  // namespace pileus::control
