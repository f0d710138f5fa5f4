#include "control/shared_view.h"

#include <gtest/gtest.h>

#include "control/testing/cloud.h"
#include "state/mirror/mirror.h"

namespace pileus::control {
namespace {

using testing::Cloud;

bool any(model::InstanceId, const InstanceView&) { return true; }

TEST(Worklist, HasEverythingAtFirstThenWhatChangesUntilItIsDone) {
  Cloud cloud(1);
  const std::vector<model::InstanceId> ids = cloud.launch_surely(cloud.request("", 3)).instances;
  const auto view = std::make_shared<SharedView>(cloud.store());
  Worklist work(view);
  ASSERT_TRUE(work.refresh().ok());
  EXPECT_EQ(work.instances(any).size(), 3U);
  for (const model::InstanceId id : ids) work.done(id);
  ASSERT_TRUE(work.refresh().ok());
  EXPECT_TRUE(work.instances(any).empty());
  cloud.set_power_surely(ids[1], model::Power::kTerminated);
  // Whoever brings the view up to date: the list hears of it.
  ASSERT_TRUE(view->sync().ok());
  ASSERT_TRUE(work.refresh().ok());
  const auto changed = work.instances(any);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].first, ids[1]);
  EXPECT_EQ(changed[0].second.desired.value.power, model::Power::kTerminated);
  ASSERT_TRUE(work.refresh().ok());
  EXPECT_EQ(work.instances(any).size(), 1U) << "it was not done";
  EXPECT_TRUE(work.instances([](model::InstanceId, const InstanceView&) { return false; }).empty());
  EXPECT_TRUE(work.instances(any).empty()) << "those not wanted are taken off";
}

TEST(View, CountsWhatAccountsAndHostsHave) {
  Cloud cloud(1);
  cloud.settle();
  const std::vector<model::InstanceId> ids = cloud.launch_surely(cloud.request("", 3)).instances;
  SharedView shared(cloud.store());
  const auto expect = [&](u64 used, std::size_t all, std::size_t placed, const char* when) {
    ASSERT_TRUE(shared
                    .read([&](View& view) {
                      EXPECT_EQ(view.used_by(testing::test_account()).instances, used) << when;
                      EXPECT_EQ(view.used_by(testing::test_account()).vcpus, 2 * used) << when;
                      EXPECT_EQ(view.of_account(testing::test_account()).size(), all) << when;
                      EXPECT_EQ(view.on_host(Cloud::host_id(0)).size(), placed) << when;
                    })
                    .ok());
  };
  expect(3, 3, 0, "asked for");
  cloud.settle();
  expect(3, 3, 3, "placed");
  cloud.set_power_surely(ids[0], model::Power::kTerminated);
  cloud.settle();
  expect(2, 3, 2, "one terminated");
  cloud.clock.advance(3600ULL * 1000);
  cloud.settle();
  expect(2, 2, 2, "and forgotten");
}

TEST(Scheduler, PlacesSeveralInOneTransactionWithoutGivingRoomTwice) {
  Cloud cloud(2);
  cloud.settle();
  constexpr u32 kFits = 2 * 4;  // of 2 vCPUs on hosts of 8
  const Launched launched = cloud.launch_surely(cloud.request("", kFits + 2));
  Scheduler scheduler(cloud.store(), cloud.clock, placement::kPacking, "alone");
  const state::Revision before = cloud.store().get(state::Get{state::KeyRange::key("v1/")}, 0)->revision;
  const auto done = scheduler.run_once();
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(*done, kFits + 2);
  const state::Revision after = cloud.store().get(state::Get{state::KeyRange::key("v1/")}, 0)->revision;
  EXPECT_EQ(after - before, 1U + 2U) << "one for those placed, one for each refused";
  cloud.settle();
  cloud.expect_sound();
  EXPECT_EQ(cloud.vm_count(), kFits);
}

TEST(Controllers, ShareAViewOverAMirror) {
  Cloud cloud(1);
  const os::TemporaryDirectory folder = testing::make_folder();
  auto durable = state::sqlite::open({folder.path(), std::chrono::seconds(10), 2, 16000});
  ASSERT_TRUE(durable.ok());
  const auto store = state::open_mirror(std::move(durable).value()).value();
  model::HostDesired host;
  host.id = Cloud::host_id(0);
  ASSERT_TRUE(store->put(model::desired_key(host.id), model::encode(host)).ok());
  const auto view = std::make_shared<SharedView>(*store);
  SimulatedMachine machine;
  model::HostObserved self;
  self.id = host.id;
  self.capacity = cloud.capacity;
  self.engines = {"bt"};
  SimulatedHost agent(*store, cloud.clock, machine, self);
  HostHealthController health(*store, cloud.clock, view);
  Scheduler scheduler(*store, cloud.clock, placement::kPacking, "alone", view);
  Reaper reaper(*store, cloud.clock, view);
  const auto settle = [&] {
    for (u32 quiet = 0, i = 0; i < 50 && quiet < 2; ++i) {
      u32 done = 0;
      for (Controller* each : std::initializer_list<Controller*>{&agent, &health, &scheduler, &reaper}) {
        const auto did = each->run_once();
        ASSERT_TRUE(did.ok()) << did.error().message();
        done += *did;
      }
      quiet = done == 0 ? quiet + 1 : 0;
    }
  };
  settle();
  const auto launched = launch(*store, cloud.clock, cloud.request("", 3));
  ASSERT_TRUE(launched.ok());
  settle();
  EXPECT_EQ(machine.vms.size(), 3U);
  ASSERT_TRUE(set_power(*store, cloud.clock, launched->instances[0], model::Power::kTerminated, "owner").ok());
  settle();
  EXPECT_EQ(machine.vms.size(), 2U);
  cloud.clock.advance(kTerminatedLife);
  settle();
  EXPECT_FALSE(store->get(model::desired_key(launched->instances[0])).value().has_value());
}

}  // namespace
}  // namespace pileus::control
