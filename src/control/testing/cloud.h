// A whole control plane over one SQLite store, its programs being objects that can be killed and started again.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "control/clone_controller.h"
#include "control/host_health.h"
#include "control/launch.h"
#include "control/migration.h"
#include "control/migration_controller.h"
#include "control/reaper.h"
#include "control/scheduler.h"
#include "control/simulated_host.h"
#include "control/testing/faulty_store.h"
#include "control/transfer_controller.h"
#include "control/volume_controller.h"
#include "os/file.h"
#include "state/sqlite/store.h"

namespace pileus::control::testing {

class FakeClock : public Clock {
 public:
  model::Millis now() const override { return now_; }
  void advance(model::Millis time) { now_ += time; }

 private:
  model::Millis now_ = 1'700'000'000'000;
};

inline os::TemporaryDirectory make_folder() {
  // In memory where there is such a place: fsync is not what these tests are about.
  const std::string place = std::filesystem::exists("/dev/shm") ? "/dev/shm/" : ::testing::TempDir();
  auto made = os::TemporaryDirectory::create(place + "pileus-control-");
  CHECK(made.ok());
  return std::move(made).value();
}

inline model::AccountId test_account() { return model::AccountId::parse("000000000001").value(); }

class Cloud {
 public:
  explicit Cloud(u32 hosts) : machines(hosts), hosts_(hosts) {
    auto opened = state::sqlite::open({folder_.path(), std::chrono::seconds(10), 2});
    CHECK(opened.ok());
    store_ = std::move(opened).value();
    faulty_ = std::make_unique<FaultyStore>(*store_, injector);
    for (u32 i = 0; i < hosts; i++) {
      model::HostDesired desired;
      desired.id = host_id(i);
      desired.zone = "a";
      desired.rack = "r" + std::to_string(i);
      CHECK(store_->put(model::desired_key(desired.id), model::encode(desired)).ok());
    }
    schedulers_.resize(2);
  }

  static model::HostId host_id(u32 number) { return model::HostId(number + 1); }
  state::Store& store() { return *store_; }
  state::Store& faulty() { return *faulty_; }

  // A run of everything; whoever fails is killed and started anew in the next round. The changes that were made.
  u32 round() {
    u32 done = 0;
    for (u32 i = 0; i < hosts_.size(); i++) {
      done += run(hosts_[i], [&] { return new SimulatedHost(*faulty_, clock, machines[i], host(i)); });
    }
    done += run(health_, [&] { return new HostHealthController(*faulty_, clock); });
    for (u32 i = 0; i < schedulers_.size(); i++) {
      done += run(schedulers_[i], [&] {
        return new Scheduler(*faulty_, clock, placement::kSpreading, "scheduler-" + std::to_string(i));
      });
    }
    done += run(reaper_, [&] { return new Reaper(*faulty_, clock); });
    done += run(volumes_, [&] { return new VolumeController(*faulty_, clock); });
    done += run(clones_, [&] { return new CloneController(*faulty_, clock); });
    done += run(migrations_, [&] { return new MigrationController(*faulty_, clock); });
    done += run(transfers_, [&] { return new TransferController(*faulty_, clock); });
    return done;
  }
  // Rounds until nothing changes three times in a row, so that a watch that lags has been heard.
  void settle() {
    u32 quiet = 0;
    for (u32 i = 0; i < 100 && quiet < 3; i++) quiet = round() == 0 ? quiet + 1 : 0;
    EXPECT_EQ(quiet, 3U) << "the controllers never come to rest";
  }
  void kill_host(u32 number) { hosts_[number].reset(); }

  LaunchRequest request(const std::string& token, u32 count = 1) const {
    LaunchRequest request;
    request.prototype.account = test_account();
    request.prototype.type = "t3.micro";
    request.prototype.takes = {2, 1024, 8};
    request.prototype.client_token = token;
    request.count = count;
    return request;
  }
  // As clients do: again with the same token while the answer is "perhaps".
  Launched launch_surely(const LaunchRequest& what) {
    for (int i = 0; i < 5; i++) {
      auto launched = launch(*faulty_, clock, what);
      if (launched.ok()) return std::move(launched).value();
      EXPECT_EQ(launched.error().code(), ErrorCode::kTimeout) << launched.error().message();
    }
    ADD_FAILURE() << "no launch";
    return {};
  }
  void set_power_surely(model::InstanceId id, model::Power power) {
    for (int i = 0; i < 5; i++) {
      const auto set = set_power(*faulty_, clock, id, power, "owner");
      if (set.ok()) return;
      EXPECT_EQ(set.error().code(), ErrorCode::kTimeout) << set.error().message();
    }
    ADD_FAILURE() << "no change of power";
  }

  template <typename Record>
  Record stored(const std::string& key) {
    const auto found = read<Record>(*store_, key);
    EXPECT_TRUE(found.ok());
    return found.ok() ? found->value : Record();
  }
  model::InstanceObserved observed(model::InstanceId id) {
    return stored<model::InstanceObserved>(model::observed_key(id));
  }
  std::vector<std::string> keys(std::string_view prefix) {
    std::vector<std::string> names;
    const auto all = store_->get(state::Get{state::KeyRange::prefix(std::string(prefix))});
    EXPECT_TRUE(all.ok());
    if (all.ok()) {
      for (const state::KeyValue& entry : all->entries) names.push_back(entry.key);
    }
    return names;
  }

  // The first two rules of docs/formats/state-keys.md, over all records, and that nobody got more than there is.
  void expect_sound() {
    std::map<model::HostId, model::HostClaims> sums;
    const auto all = store_->get(state::Get{state::KeyRange::prefix(std::string(model::kInstancesPrefix))});
    ASSERT_TRUE(all.ok());
    for (const state::KeyValue& entry : all->entries) {
      if (model::split_key(model::IdKind::kInstance, entry.key).part != "placed") continue;
      const auto placed = model::decode<model::InstancePlaced>(entry.value);
      ASSERT_TRUE(placed.ok());
      EXPECT_EQ(stored<model::InstanceDesired>(model::desired_key(placed->id)).id, placed->id);
      for (const model::HostId host : {placed->host, placed->migration.to}) {
        if (!host) continue;
        sums[host].claimed += placed->takes;
        sums[host].instances++;
      }
    }
    for (u32 i = 0; i < hosts_.size(); i++) {
      const auto claims = stored<model::HostClaims>(model::claims_key(host_id(i)));
      EXPECT_EQ(claims.claimed, sums[host_id(i)].claimed);
      EXPECT_EQ(claims.instances, sums[host_id(i)].instances);
      EXPECT_LE(claims.claimed.vcpus, capacity.vcpus);
      EXPECT_LE(claims.claimed.memory_mib, capacity.memory_mib);
      EXPECT_LE(claims.claimed.disk_gib, capacity.disk_gib);
      EXPECT_EQ(machines[i].double_starts, 0U);
    }
  }
  u32 starts(model::InstanceId id) const {
    u32 count = 0;
    for (const SimulatedMachine& machine : machines) {
      const auto found = machine.starts.find(id);
      if (found != machine.starts.end()) count += found->second;
    }
    return count;
  }
  std::size_t vm_count() const {
    std::size_t count = 0;
    for (const SimulatedMachine& machine : machines) count += machine.vms.size();
    return count;
  }

  Injector injector;
  FakeClock clock;
  model::Resources capacity{8, 8192, 100};
  std::vector<SimulatedMachine> machines;

 private:
  model::HostObserved host(u32 number) const {
    model::HostObserved observed;
    observed.id = host_id(number);
    observed.capacity = capacity;
    observed.engines = {"bt"};
    return observed;
  }
  template <typename Actor, typename Start>
  u32 run(std::unique_ptr<Actor>& actor, Start start) {
    if (!actor) actor.reset(start());
    const auto done = actor->run_once();
    if (done.ok()) return *done;
    EXPECT_EQ(done.error().code(), ErrorCode::kTimeout) << done.error().message();
    actor.reset();
    return 1;  // not at rest
  }

  const os::TemporaryDirectory folder_ = make_folder();
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<FaultyStore> faulty_;
  std::vector<std::unique_ptr<SimulatedHost>> hosts_;
  std::unique_ptr<HostHealthController> health_;
  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  std::unique_ptr<Reaper> reaper_;
  std::unique_ptr<VolumeController> volumes_;
  std::unique_ptr<CloneController> clones_;
  std::unique_ptr<MigrationController> migrations_;
  std::unique_ptr<TransferController> transfers_;
};

}  // namespace pileus::control::testing
