#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using model::InstanceState;
using testing::Cloud;

TEST(Launch, GivesTheSameAnswerToTheSameToken) {
  Cloud cloud(1);
  const auto first = launch(cloud.store(), cloud.clock, cloud.request("t", 3));
  const auto second = launch(cloud.store(), cloud.clock, cloud.request("t", 3));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_FALSE(first->repeated);
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(first->instances, second->instances);
  EXPECT_EQ(first->reservation, second->reservation);
  const auto other = launch(cloud.store(), cloud.clock, cloud.request("t", 2));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), ErrorCode::kExists);
  const auto without = launch(cloud.store(), cloud.clock, cloud.request(""));
  const auto without_again = launch(cloud.store(), cloud.clock, cloud.request(""));
  ASSERT_TRUE(without.ok() && without_again.ok());
  EXPECT_NE(without->instances, without_again->instances);
}

TEST(Launch, RefusesWhatCannotBe) {
  Cloud cloud(1);
  for (const LaunchRequest& bad : {cloud.request("", 0), cloud.request("", kMaxLaunch + 1),
                                   cloud.request(std::string(kMaxToken + 1, 'x')), cloud.request("\xFF")}) {
    EXPECT_EQ(launch(cloud.store(), cloud.clock, bad).error().code(), ErrorCode::kInvalid);
  }
  EXPECT_TRUE(cloud.keys("v1/instances/").empty());
  EXPECT_TRUE(launch(cloud.store(), cloud.clock, cloud.request("most", kMaxLaunch)).ok());
}

TEST(Launch, OfManyAtOnceWithOneTokenHappensOnce) {
  Cloud cloud(1);
  std::vector<std::thread> threads;
  std::vector<model::ReservationId> answers(8);
  for (model::ReservationId& answer : answers) {
    threads.emplace_back([&] {
      const auto launched = launch(cloud.store(), cloud.clock, cloud.request("same"));
      if (launched.ok()) answer = launched->reservation;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(std::set(answers.begin(), answers.end()).size(), 1U);
  EXPECT_EQ(cloud.keys("v1/instances/").size(), 3U);
}

TEST(Scheduler, SaysWhyNothingFits) {
  Cloud cloud(2);
  cloud.settle();
  LaunchRequest big = cloud.request("");
  big.prototype.takes.memory_mib = 100000;
  const Launched launched = cloud.launch_surely(big);
  cloud.settle();
  const model::InstanceObserved observed = cloud.observed(launched.instances[0]);
  EXPECT_EQ(observed.state, InstanceState::kTerminated);
  EXPECT_EQ(observed.reason_code, "Server.InsufficientInstanceCapacity");
  EXPECT_EQ(observed.reason,
            "none of 2 hosts can take 2 vCPUs, 100000 MiB of memory and 8 GiB of disk: 2 have less than 100000 MiB of "
            "memory free");
  cloud.expect_sound();
}

TEST(Scheduler, WritesWhyHere) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  const auto placed = cloud.stored<model::InstancePlaced>(model::placed_key(id));
  ASSERT_EQ(placed.why.size(), 3U);
  EXPECT_EQ(placed.why[0], "2 hosts would do");
  EXPECT_TRUE(placed.why[1].starts_with("chosen h-")) << placed.why[1];
  EXPECT_TRUE(placed.why[2].starts_with("next h-")) << placed.why[2];
  std::vector<std::string> whats;
  for (const model::Event& event : cloud.stored<model::EventLog>(model::events_key(id)).events)
    whats.push_back(event.what);
  EXPECT_EQ(whats, (std::vector<std::string>{"asked for", "placed on " + placed.host.text(), "running"}));
}

TEST(Scheduler, ManyAtOnceNeverOvercommit) {
  Cloud cloud(3);
  cloud.settle();
  constexpr u32 kFits = 3 * 4;  // of 2 vCPUs on hosts of 8
  const Launched launched = cloud.launch_surely(cloud.request("", kFits + 8));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&cloud, i] {
      Scheduler scheduler(cloud.store(), cloud.clock, placement::kPacking, "thread-" + std::to_string(i));
      for (int run = 0; run < 50; run++) {
        const auto done = scheduler.run_once();
        EXPECT_TRUE(done.ok()) << done.error().message();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  cloud.settle();
  cloud.expect_sound();
  u32 running = 0, refused = 0;
  for (const model::InstanceId id : launched.instances) {
    if (cloud.observed(id).state == InstanceState::kRunning) running++;
    if (cloud.observed(id).state == InstanceState::kTerminated) refused++;
  }
  EXPECT_EQ(running, kFits);
  EXPECT_EQ(refused, 8U);
}

TEST(Scheduler, KeepsAGroupApartWithSchedulersSideBySide) {
  Cloud cloud(4);
  cloud.settle();
  model::PlacementGroup group;
  group.id = model::PlacementGroupId(9);
  group.strategy = model::GroupStrategy::kSpread;
  ASSERT_TRUE(cloud.store().put(model::desired_key(group.id), model::encode(group)).ok());
  LaunchRequest request = cloud.request("", 6);
  request.prototype.wish.group = group.id;
  const Launched launched = cloud.launch_surely(request);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++) {
    threads.emplace_back([&cloud, i] {
      Scheduler scheduler(cloud.store(), cloud.clock, placement::kPacking, "thread-" + std::to_string(i));
      for (int run = 0; run < 50; run++) EXPECT_TRUE(scheduler.run_once().ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  cloud.settle();
  cloud.expect_sound();
  std::set<model::HostId> hosts;
  u32 placed = 0;
  for (const model::InstanceId id : launched.instances) {
    const auto record = cloud.stored<model::InstancePlaced>(model::placed_key(id));
    if (!record.host) continue;
    placed++;
    hosts.insert(record.host);
  }
  EXPECT_EQ(placed, 4U) << "one for each host, the others are refused";
  EXPECT_EQ(hosts.size(), 4U);
}

TEST(Hosts, AreUnreachableWithoutTheirLeaseAndReadyAgainWithIt) {
  Cloud cloud(1);
  cloud.settle();
  const auto health = [&] { return cloud.stored<model::HostHealth>(model::health_key(Cloud::host_id(0))).state; };
  EXPECT_EQ(health(), model::HostState::kReady);
  const model::InstanceId id = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  const auto alive = cloud.store().get(model::alive_key(Cloud::host_id(0)));
  ASSERT_TRUE(alive.ok() && alive.value());
  ASSERT_TRUE(cloud.store().revoke_lease(alive.value()->lease).ok());  // as if it had run out
  HostHealthController controller(cloud.store(), cloud.clock);
  ASSERT_TRUE(controller.run_once().ok());
  EXPECT_EQ(health(), model::HostState::kUnreachable);
  Scheduler scheduler(cloud.store(), cloud.clock, placement::kPacking, "alone");
  const model::InstanceId late = cloud.launch_surely(cloud.request("")).instances[0];
  ASSERT_TRUE(scheduler.run_once().ok());
  EXPECT_EQ(cloud.observed(late).reason,
            "none of 1 hosts can take 2 vCPUs, 1024 MiB of memory and 8 GiB of disk: 1 cannot be reached");
  EXPECT_EQ(cloud.vm_count(), 1U) << "what runs there goes on";
  cloud.settle();
  EXPECT_EQ(health(), model::HostState::kReady);
  EXPECT_EQ(cloud.starts(id), 1U);
}

TEST(Power, StopsAndStartsOnTheSameHost) {
  Cloud cloud(2);
  cloud.settle();
  const model::InstanceId id = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.settle();
  const auto host = cloud.stored<model::InstancePlaced>(model::placed_key(id)).host;
  cloud.set_power_surely(id, model::Power::kStopped);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, InstanceState::kStopped);
  EXPECT_EQ(cloud.vm_count(), 0U);
  cloud.set_power_surely(id, model::Power::kRunning);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, InstanceState::kRunning);
  EXPECT_EQ(cloud.stored<model::InstancePlaced>(model::placed_key(id)).host, host);
  EXPECT_EQ(cloud.starts(id), 2U);
  cloud.expect_sound();
}

TEST(Power, OfTerminatedAndProtectedInstancesIsNotChanged) {
  Cloud cloud(1);
  LaunchRequest request = cloud.request("");
  request.prototype.termination_protected = true;
  const model::InstanceId kept = cloud.launch_surely(request).instances[0];
  EXPECT_EQ(set_power(cloud.store(), cloud.clock, kept, model::Power::kTerminated, "x").error().code(),
            ErrorCode::kPermission);
  const model::InstanceId gone = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.set_power_surely(gone, model::Power::kTerminated);
  EXPECT_EQ(set_power(cloud.store(), cloud.clock, gone, model::Power::kRunning, "x").error().code(),
            ErrorCode::kInvalid);
  EXPECT_EQ(set_power(cloud.store(), cloud.clock, model::InstanceId(5), model::Power::kRunning, "x").error().code(),
            ErrorCode::kNotFound);
}

TEST(Reaper, EndsWhatNoHostEverHad) {
  Cloud cloud(0);
  const model::InstanceId id = cloud.launch_surely(cloud.request("")).instances[0];
  cloud.set_power_surely(id, model::Power::kTerminated);
  cloud.settle();
  EXPECT_EQ(cloud.observed(id).state, InstanceState::kTerminated);
  EXPECT_EQ(cloud.observed(id).reason_code, "Client.UserInitiatedShutdown");
}

}  // namespace
}  // namespace pileus::control
