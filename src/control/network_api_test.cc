// What hosts are told for their virtual switches.
#include "control/network_api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "control/network_numbers.h"
#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using testing::Cloud;
constexpr model::VpcId kVpc(1);
constexpr model::SubnetId kSubnet(2);
constexpr model::SecurityGroupId kWeb(3);
constexpr model::SecurityGroupId kDatabase(4);

class NetworkApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model::VpcDesired vpc;
    vpc.id = kVpc;
    vpc.cidr = "172.31.0.0/16";
    put(model::desired_key(kVpc), vpc);
    model::SubnetDesired subnet;
    subnet.id = kSubnet;
    subnet.vpc = kVpc;
    subnet.cidr = "172.31.0.0/20";
    put(model::desired_key(kSubnet), subnet);
    group(kWeb, {});
    group(kDatabase, kWeb);
    for (u32 i : {0U, 1U}) {
      model::HostObserved host;
      host.id = Cloud::host_id(i);
      host.tunnel = "10.0.0." + std::to_string(i + 1) + ":4789";
      put(model::observed_key(host.id), host);
    }
    instance(10, Cloud::host_id(0), "172.31.0.10", kDatabase);
    instance(11, Cloud::host_id(1), "172.31.0.11", kWeb);
  }
  template <typename Record>
  void put(const std::string& key, const Record& record) {
    state::Transaction transaction;
    transaction.then.emplace_back(state::Put{key, model::encode(record)});
    ASSERT_TRUE(cloud_.store().commit(transaction).ok());
  }
  void group(model::SecurityGroupId id, model::SecurityGroupId peer) {
    model::SecurityGroup group;
    group.id = id;
    group.vpc = kVpc;
    model::SecurityGroupRule rule;
    rule.protocol = "tcp";
    rule.from_port = rule.to_port = 5432;
    rule.peer = peer;
    if (!peer) rule.cidr = "0.0.0.0/0";
    group.rules = {rule};
    put(model::desired_key(id), group);
  }
  void instance(u64 number, model::HostId host, const std::string& address, model::SecurityGroupId group,
                model::SubnetId subnet = kSubnet) {
    const model::InstanceId id(number);
    model::InterfaceDesired interface;
    interface.id = model::InterfaceId(number);
    interface.instance = id;
    interface.subnet = subnet;
    interface.private_address = address;
    interface.mac = "02:00:00:00:00:01";
    interface.security_groups = {group};
    put(model::desired_key(interface.id), interface);
    model::InstanceDesired desired;
    desired.id = id;
    put(model::desired_key(id), desired);
    model::InstancePlaced placed;
    placed.id = id;
    placed.host = host;
    put(model::placed_key(id), placed);
    state_of(number, model::InstanceState::kRunning);
  }
  void state_of(u64 number, model::InstanceState state) {
    model::InstanceObserved observed;
    observed.id = model::InstanceId(number);
    observed.state = state;
    put(model::observed_key(observed.id), observed);
  }
  HostNetwork ask(u32 host) {
    const Result<std::string> body = api_.answer(Cloud::host_id(host));
    EXPECT_TRUE(body.ok()) << body.error().message();
    Result<HostNetwork> network = parse_host_network(*body);
    EXPECT_TRUE(network.ok()) << network.error().message();
    return std::move(network).value();
  }

  Cloud cloud_{2};
  NetworkApi api_{cloud_.store()};
};

TEST_F(NetworkApiTest, AHostIsToldOfItsPortsAndOfWhoIsElsewhere) {
  const HostNetwork network = ask(0);
  ASSERT_EQ(network.ports.size(), 1U);
  EXPECT_EQ(network.ports[0].address, "172.31.0.10");
  EXPECT_EQ(network.ports[0].subnet, "172.31.0.0/20");
  EXPECT_EQ(network.networks.at(network.ports[0].network), std::vector<std::string>{"172.31.0.0/16"});
  ASSERT_EQ(network.remotes.size(), 1U);
  EXPECT_EQ(network.remotes[0].address, "172.31.0.11");
  EXPECT_EQ(network.remotes[0].host, "10.0.0.2:4789");
  EXPECT_EQ(network.remotes[0].network, ask(1).ports.at(0).network);  // the same number for all hosts
}

TEST_F(NetworkApiTest, GroupsComeWithThoseThatTheirRulesName) {
  const HostNetwork network = ask(0);
  ASSERT_EQ(network.groups.size(), 2U);
  const auto web = std::ranges::find(network.groups, kWeb, [](const NetworkGroup& each) { return each.record.id; });
  ASSERT_NE(web, network.groups.end());
  EXPECT_EQ(web->members, std::vector<std::string>{"172.31.0.11"});
  EXPECT_EQ(ask(1).groups.size(), 1U);  // nothing of the database's
}

TEST_F(NetworkApiTest, ANewInstanceIsToldAtOnce) {
  EXPECT_EQ(ask(0).ports.size(), 1U);
  instance(12, Cloud::host_id(0), "172.31.0.12", kWeb);
  EXPECT_EQ(ask(0).ports.size(), 2U);
}

TEST_F(NetworkApiTest, NetworksOfTheSameAddressesDoNotMeet) {
  const model::VpcId other(21);
  model::VpcDesired vpc;
  vpc.id = other;
  vpc.cidr = "172.31.0.0/16";
  vpc.blocks = {{model::VpcBlockId(22), "10.0.0.0/24"}};
  put(model::desired_key(other), vpc);
  model::SubnetDesired subnet;
  subnet.id = model::SubnetId(23);
  subnet.vpc = other;
  subnet.cidr = "10.0.0.0/24";
  put(model::desired_key(subnet.id), subnet);
  instance(20, Cloud::host_id(0), "10.0.0.10", kWeb, subnet.id);
  const HostNetwork network = ask(0);
  ASSERT_EQ(network.ports.size(), 2U);
  EXPECT_NE(network.ports[0].network, network.ports[1].network);
  EXPECT_EQ(network.networks.at(network.ports[1].network), (std::vector<std::string>{"172.31.0.0/16", "10.0.0.0/24"}));
  // The neighbour elsewhere is of the first network only.
  ASSERT_EQ(network.remotes.size(), 1U);
  EXPECT_EQ(network.remotes[0].network, network.ports[0].network);
}

TEST_F(NetworkApiTest, FurtherAddressesAreToldToo) {
  auto interface = cloud_.stored<model::InterfaceDesired>(model::desired_key(model::InterfaceId(11)));
  interface.more_addresses = {"172.31.0.40"};
  put(model::desired_key(interface.id), interface);
  const HostNetwork network = ask(0);
  ASSERT_EQ(network.remotes.size(), 2U);
  EXPECT_EQ(network.remotes[0].address, "172.31.0.40");
  const auto web = std::ranges::find(network.groups, kWeb, [](const NetworkGroup& each) { return each.record.id; });
  EXPECT_EQ(web->members, (std::vector<std::string>{"172.31.0.11", "172.31.0.40"}));
  EXPECT_EQ(ask(1).ports.at(0).more_addresses, interface.more_addresses);
}

TEST_F(NetworkApiTest, WhoHasEndedIsNobodysNeighbour) {
  state_of(11, model::InstanceState::kTerminated);
  EXPECT_TRUE(ask(0).remotes.empty());
  EXPECT_TRUE(ask(1).ports.empty());
}

TEST_F(NetworkApiTest, NetworksHaveDifferentNumbersForLife) {
  std::set<u32> numbers;
  for (u64 id = 100; id < 150; ++id) {
    const model::VpcId vpc(id);
    const Result<u32> number = network_number(cloud_.store(), vpc);
    ASSERT_TRUE(number.ok());
    EXPECT_TRUE(numbers.insert(*number).second);
    EXPECT_LT(*number, 1U << 24U);
    EXPECT_EQ(*network_number(cloud_.store(), vpc), *number);
  }
}

}  // namespace
}  // namespace pileus::control
