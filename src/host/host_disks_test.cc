// Volumes, snapshots and layers of hosts whose cloud is the test. No VM runs.
#include "host/host_disks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "host/testing/fake_cloud.h"
#include "os/file.h"
#include "store/flatten.h"

namespace pileus::host {
namespace {

using control::VolumeGoal;
using model::SnapshotId;
using model::VolumeId;
using testing::FakeCloud;
constexpr std::chrono::seconds kPatience{120};

// The way to other hosts.
class FakeNetwork : public http::Client {
 public:
  FakeNetwork(std::map<std::string, LayerServer*>& hosts, const bool& damages) : hosts_(hosts), damages_(damages) {}
  Result<http::Response> send(const http::ClientRequest& request) override {
    for (auto& [name, server] : hosts_) {
      if (!request.url.starts_with(name)) continue;
      const std::string rest = request.url.substr(name.size());
      const std::size_t mark = std::min(rest.find('?'), rest.size());
      http::Response response = server->answer(rest.substr(0, mark), mark < rest.size() ? rest.substr(mark + 1) : "");
      if (damages_ && !response.body.empty()) response.body.back() ^= 1;
      return response;
    }
    return Error(ErrorCode::kNotFound, request.url + ": no connection");
  }
  Result<std::unique_ptr<http::ClientStream>> open(const http::ClientRequest&) override {
    return Error(ErrorCode::kUnsupported, "not in this test");
  }

 private:
  std::map<std::string, LayerServer*>& hosts_;
  const bool& damages_;  // changes what it carries
};

class HostDisksTest : public ::testing::Test {
 protected:
  struct Host {
    std::filesystem::path folder;
    std::unique_ptr<HostDisks> disks;
    std::unique_ptr<LayerServer> server;
    control::DiskTasks tasks;
  };
  Host make_host(const std::string& name) {
    Host host{folder_.path() / name, nullptr, nullptr, {}};
    start(host);
    host.server = std::make_unique<LayerServer>(host.disks->places().layers);
    network_["https://" + name] = host.server.get();
    return host;
  }
  // An instance there with both volumes.
  control::Assignment give_instance(Host& host) {
    control::Assignment assignment;
    assignment.desired.id = model::InstanceId(11);
    assignment.desired.disks = {{"/dev/xvda", volume_, 1, true, 0}, {"/dev/sdf", other_, 1, false, 0}};
    host.tasks.volumes = {hold(volume_, 1), hold(other_, 1)};
    for (control::VolumeTask& task : host.tasks.volumes) task.instance = assignment.desired.id;
    return assignment;
  }
  void start(Host& host) {
    host.disks.reset();
    host.disks =
        HostDisks::open(library_, host.folder, cloud_, std::make_unique<FakeNetwork>(network_, damages_)).value();
  }
  // Rounds until it is so; the tasks have what the cloud has heard.
  bool run(Host& host, const std::function<bool()>& is_so, bool restarts = false) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::map<model::InstanceId, LocalVm> none;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      for (control::VolumeTask& task : host.tasks.volumes) task.observed = cloud_.volumes[task.id];
      for (control::SnapshotTask& task : host.tasks.snapshots) task.observed = cloud_.snapshots[task.id];
      if (restarts) start(host);
      if (!host.disks->step(host.tasks, {}, none, std::chrono::steady_clock::now())) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    }
    return true;
  }
  bool is_held(VolumeId id, u64 gib, u64 epoch = 1) {
    const model::VolumeObserved& told = cloud_.volumes[id];
    return told.state == model::VolumeState::kAvailable && told.size_gib == gib && told.epoch == epoch &&
           !told.handed_over && told.reason.empty();
  }
  bool is_completed(SnapshotId id) { return cloud_.snapshots[id].state == model::SnapshotState::kCompleted; }
  static control::VolumeTask hold(VolumeId id, u64 gib, model::Layers layers = {}, u64 epoch = 1) {
    control::VolumeTask task;
    task.id = id;
    task.epoch = epoch;
    task.size_gib = gib;
    task.layers = std::move(layers);
    return task;
  }
  static control::SnapshotTask snapshot(SnapshotId id, VolumeId volume) {
    control::SnapshotTask task;
    task.id = id;
    task.volume = volume;
    return task;
  }
  static void write(const Host& host, VolumeId id, u8 value) {
    const auto disk = host.disks->places().volume(id).open().value();
    ASSERT_TRUE(disk->write(kMiB, std::vector<u8>(4096, value)).ok());
  }
  static u8 read(const Host& host, VolumeId id) {
    const auto disk = host.disks->places().volume(id).open().value();
    std::vector<u8> bytes(4096);
    EXPECT_TRUE(disk->read(kMiB, bytes).ok());
    return bytes[17];
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "host_disks_").value();
  image::Library library_ = image::Library::open(folder_.path() / "library").value();
  FakeCloud cloud_;
  std::map<std::string, LayerServer*> network_;
  bool damages_ = false;
  const VolumeId volume_{7}, other_{8};
  const SnapshotId snapshot_{9};
};

TEST_F(HostDisksTest, AVolumeIsMadeOnceAndGrows) {
  Host host = make_host("a");
  host.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(host, [&] { return is_held(volume_, 1); }));
  write(host, volume_, 5);
  const int calls = cloud_.calls;
  std::map<model::InstanceId, LocalVm> none;
  EXPECT_FALSE(host.disks->step(host.tasks, {}, none, std::chrono::steady_clock::now()));
  EXPECT_EQ(cloud_.calls, calls);
  host.tasks.volumes = {hold(volume_, 3)};
  ASSERT_TRUE(run(host, [&] { return is_held(volume_, 3); }));
  EXPECT_EQ(read(host, volume_), 5);
}

TEST_F(HostDisksTest, AVolumeThatTheLibrarysImageBegins) {
  std::filesystem::create_directories(library_.images() / "small");
  std::ofstream(library_.disk_of("small"), std::ios::binary) << std::string(2 * kMiB, 'i');
  image::ImageInfo info;
  info.name = "small";
  info.disk_bytes = 2 * kMiB;
  ASSERT_TRUE(os::replace_file(library_.images() / "small" / "image.json", image::encode_image_info(info)).ok());
  Host host = make_host("a");
  control::VolumeTask task = hold(volume_, 1);
  task.image_name = "small";
  host.tasks.volumes = {task};
  ASSERT_TRUE(run(host, [&] { return is_held(volume_, 1); }));
  EXPECT_EQ(read(host, volume_), 'i');
  control::HostReport report;
  ASSERT_TRUE(run(host, [&] {
    host.disks->fill_in(report);
    return report.image_layers.contains("small");
  }));
  EXPECT_TRUE(store::is_layer_id(report.image_layers["small"]));
  host.tasks.volumes = {hold(other_, 1)};
  host.tasks.volumes[0].image_name = "gone";
  ASSERT_TRUE(run(host, [&] { return !cloud_.volumes[other_].reason.empty(); }));
  EXPECT_NE(host.disks->volumes().waits_for(host.tasks, other_), "");
}

TEST_F(HostDisksTest, ASnapshotBecomesAVolumeHereAndElsewhere) {
  Host here = make_host("a"), there = make_host("b");
  here.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(here, [&] { return is_held(volume_, 1); }));
  write(here, volume_, 1);
  here.tasks.snapshots = {snapshot(snapshot_, volume_)};
  ASSERT_TRUE(run(here, [&] { return is_completed(snapshot_); }));
  const model::Layers layers = cloud_.snapshots[snapshot_].layers;
  EXPECT_EQ(layers.size(), 1U);
  here.tasks.snapshots.clear();
  write(here, volume_, 2);
  here.tasks.volumes.push_back(hold(other_, 2, layers));
  ASSERT_TRUE(run(here, [&] { return is_held(other_, 2); }));
  EXPECT_EQ(read(here, other_), 1);
  EXPECT_EQ(read(here, volume_), 2);
  EXPECT_TRUE(std::filesystem::is_empty(here.disks->places().snapshots));

  const VolumeId third(10);
  there.tasks.volumes = {hold(third, 1, layers)};
  ASSERT_TRUE(
      run(there, [&] { return cloud_.volumes[third].reason.find("no host that has it") != std::string::npos; }));
  there.tasks.layer_sources[layers[0]] = {"https://nobody", "https://a"};
  start(there);  // it would wait before it tries again
  ASSERT_TRUE(run(there, [&] { return is_held(third, 1); }));
  EXPECT_EQ(read(there, third), 1);
}

TEST_F(HostDisksTest, ALayerThatCannotBeHadSaysWhy) {
  Host here = make_host("a"), there = make_host("b");
  here.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(here, [&] { return is_held(volume_, 1); }));
  write(here, volume_, 1);
  here.tasks.snapshots = {snapshot(snapshot_, volume_)};
  ASSERT_TRUE(run(here, [&] { return is_completed(snapshot_); }));
  const model::Layers layers = cloud_.snapshots[snapshot_].layers;
  there.tasks.volumes = {hold(other_, 1, layers)};
  there.tasks.layer_sources[layers[0]] = {"https://a", "https://nobody"};
  const auto says = [&](const char* why) {
    start(there);  // it would wait before it tries again
    return run(there, [&] { return cloud_.volumes[other_].reason.find(why) != std::string::npos; });
  };
  damages_ = true;
  EXPECT_TRUE(says("what another host sent of it is damaged")) << cloud_.volumes[other_].reason;
  damages_ = false;
  // No folder can be made where a file is.
  const std::filesystem::path layers_folder = there.folder / "layers";
  start(there);
  std::filesystem::remove_all(layers_folder);
  std::ofstream(layers_folder) << "no folder";
  EXPECT_TRUE(run(there, [&] {
    return cloud_.volumes[other_].reason.find("it cannot be stored on this host") != std::string::npos;
  })) << cloud_.volumes[other_].reason;
  std::filesystem::remove(layers_folder);
  start(there);
  ASSERT_TRUE(run(there, [&] { return is_held(other_, 1); })) << cloud_.volumes[other_].reason;
  EXPECT_EQ(read(there, other_), 1);
}

TEST_F(HostDisksTest, AVolumeMovesToAnotherHostAndBack) {
  Host here = make_host("a"), there = make_host("b");
  here.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(here, [&] { return is_held(volume_, 1); }));
  write(here, volume_, 1);
  u64 epoch = 1;
  for (auto [from, to, name] : {std::tuple{&here, &there, "https://a"}, {&there, &here, "https://b"}}) {
    from->tasks.volumes[0].goal = VolumeGoal::kHandOver;
    ASSERT_TRUE(run(*from, [&] { return cloud_.volumes[volume_].handed_over; }));
    const model::Layers layers = cloud_.volumes[volume_].layers;
    ++epoch;
    from->tasks.volumes.clear();
    to->tasks.volumes = {hold(volume_, 1, layers, epoch)};
    for (const std::string& id : layers) to->tasks.layer_sources[id] = {name};
    ASSERT_TRUE(run(*to, [&] { return is_held(volume_, 1, epoch); })) << cloud_.volumes[volume_].reason;
    EXPECT_EQ(read(*to, volume_), epoch - 1);
    write(*to, volume_, static_cast<u8>(epoch));
    ASSERT_TRUE(run(*from, [&] { return !std::filesystem::exists(from->disks->places().volume(volume_).path()); }));
  }
}

// A migration may be given up when its disks are frozen already, and another one begun.
TEST_F(HostDisksTest, WhatWasWrittenAfterAHandOverWasTakenBackIsHandedOver) {
  Host here = make_host("a"), there = make_host("b");
  here.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(here, [&] { return is_held(volume_, 1); }));
  write(here, volume_, 1);
  for (const u8 value : {u8{2}, u8{3}}) {
    here.tasks.volumes[0].goal = VolumeGoal::kHandOver;
    ASSERT_TRUE(run(here, [&] { return cloud_.volumes[volume_].handed_over; }));
    here.tasks.volumes[0].goal = VolumeGoal::kHold;
    ASSERT_TRUE(run(here, [&] { return is_held(volume_, 1); }));
    write(here, volume_, value);
  }
  here.tasks.volumes[0].goal = VolumeGoal::kHandOver;
  ASSERT_TRUE(run(here, [&] { return cloud_.volumes[volume_].handed_over; }, true));
  const model::Layers layers = cloud_.volumes[volume_].layers;
  here.tasks.volumes.clear();
  there.tasks.volumes = {hold(volume_, 1, layers, 2)};
  for (const std::string& id : layers) there.tasks.layer_sources[id] = {"https://a"};
  ASSERT_TRUE(run(there, [&] { return is_held(volume_, 1, 2); })) << cloud_.volumes[volume_].reason;
  EXPECT_EQ(read(there, volume_), 3);
  ASSERT_TRUE(run(here, [&] { return !std::filesystem::exists(here.disks->places().volume(volume_).path()); }));
}

// What comes with an instance is fetched before the instance is here: then nothing is waited for.
TEST_F(HostDisksTest, LayersAreFetchedAhead) {
  Host here = make_host("a"), there = make_host("b");
  here.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(here, [&] { return is_held(volume_, 1); }));
  write(here, volume_, 1);
  here.tasks.volumes[0].goal = VolumeGoal::kHandOver;
  ASSERT_TRUE(run(here, [&] { return cloud_.volumes[volume_].handed_over; }));
  const model::Layers layers = cloud_.volumes[volume_].layers;
  there.tasks.layers_ahead = layers;
  for (const std::string& id : layers) there.tasks.layer_sources[id] = {"https://a"};
  const auto has_all = [&] {
    return std::ranges::all_of(layers, [&](const std::string& id) { return there.disks->places().layers.has(id); });
  };
  ASSERT_TRUE(run(there, has_all));
  EXPECT_FALSE(std::filesystem::exists(there.disks->places().volume(volume_).path())) << "it is not this host's yet";
  network_.clear();
  there.tasks = {};
  there.tasks.volumes = {hold(volume_, 1, layers, 2)};
  ASSERT_TRUE(run(there, [&] { return is_held(volume_, 1, 2); })) << cloud_.volumes[volume_].reason;
  EXPECT_EQ(read(there, volume_), 1);
}

// As the message says: what the next start of its VM does makes room for it.
TEST_F(HostDisksTest, ASnapshotOfTooManyLayersFailsWithTheWayOut) {
  Host host = make_host("a");
  host.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(host, [&] { return is_held(volume_, 1); }));
  const store::DiskFolder folder = host.disks->places().volume(volume_);
  while (folder.chain().value().layers.size() < store::kMaxLayers) {
    write(host, volume_, 1);
    ASSERT_TRUE(folder.open().value()->snapshot("s" + std::to_string(folder.chain().value().layers.size())).ok());
  }
  host.tasks.snapshots = {snapshot(snapshot_, volume_)};
  ASSERT_TRUE(run(host, [&] { return cloud_.snapshots[snapshot_].state == model::SnapshotState::kError; }));
  EXPECT_NE(cloud_.snapshots[snapshot_].reason.find("stopped and started"), std::string::npos);
  EXPECT_EQ(cloud_.snapshots[snapshot_].reason.find(folder_.path().string()), std::string::npos);
  ASSERT_TRUE(store::flatten_if_many(folder).ok());
  host.tasks.snapshots = {snapshot(SnapshotId(22), volume_)};
  ASSERT_TRUE(run(host, [&] { return is_completed(SnapshotId(22)); }));
}

// One mark for all of a moment, by which who is killed between two of them finds the moment again.
TEST_F(HostDisksTest, SnapshotsOfAMomentAreOne) {
  Host host = make_host("a");
  host.tasks.volumes = {hold(volume_, 1), hold(other_, 1)};
  ASSERT_TRUE(run(host, [&] { return is_held(volume_, 1) && is_held(other_, 1); }));
  host.tasks.snapshots = {snapshot(snapshot_, volume_), snapshot(SnapshotId(22), other_)};
  for (control::SnapshotTask& task : host.tasks.snapshots) task.moment = 5;
  ASSERT_TRUE(run(host, [&] { return is_completed(snapshot_) && is_completed(SnapshotId(22)); }));
  for (const VolumeId id : {volume_, other_}) {
    const store::Chain chain = host.disks->places().volume(id).chain().value();
    ASSERT_EQ(chain.marks.size(), 1U);
    EXPECT_EQ(chain.marks[0].name, "moment-5");
  }
}

TEST_F(HostDisksTest, AVolumeGoesWhenItsSnapshotIsTaken) {
  Host host = make_host("a");
  host.tasks.volumes = {hold(volume_, 1)};
  ASSERT_TRUE(run(host, [&] { return is_held(volume_, 1); }));
  write(host, volume_, 1);
  host.tasks.volumes[0].goal = VolumeGoal::kDelete;
  host.tasks.snapshots = {snapshot(snapshot_, volume_)};
  ASSERT_TRUE(run(host, [&] { return cloud_.deleted.contains(volume_); }));
  ASSERT_TRUE(run(host, [&] { return is_completed(snapshot_); }));
  host.tasks = {};
  host.tasks.volumes = {hold(other_, 1, cloud_.snapshots[snapshot_].layers)};
  ASSERT_TRUE(run(host, [&] { return is_held(other_, 1); }));
  EXPECT_EQ(read(host, other_), 1);
}

// The cloud does not hear one call, whichever; and the host is started anew for each round.
TEST_F(HostDisksTest, AllComesToTheSameWhateverFails) {
  for (int refused = 0; refused < 8; ++refused) {
    std::filesystem::remove_all(folder_.path() / "a");
    cloud_ = {};
    cloud_.refused = refused;
    Host host = make_host("a");
    host.tasks.volumes = {hold(volume_, 1)};
    ASSERT_TRUE(run(host, [&] { return is_held(volume_, 1); }));
    write(host, volume_, 1);
    host.tasks.snapshots = {snapshot(snapshot_, volume_)};
    ASSERT_TRUE(
        run(host, [&] { return std::filesystem::exists(host.disks->places().snapshot(snapshot_).path()); }, true));
    write(host, volume_, 2);
    ASSERT_TRUE(run(host, [&] { return is_completed(snapshot_); }));
    host.tasks.snapshots.clear();
    host.tasks.volumes = {hold(volume_, 1), hold(other_, 1, cloud_.snapshots[snapshot_].layers)};
    ASSERT_TRUE(run(host, [&] { return is_held(other_, 1); }, true));
    EXPECT_EQ(read(host, other_), 1) << refused;
    host.tasks.volumes[0].goal = host.tasks.volumes[1].goal = VolumeGoal::kDelete;
    ASSERT_TRUE(run(host, [&] { return cloud_.deleted.size() == 2; }, true));
    EXPECT_TRUE(std::filesystem::is_empty(host.disks->places().volumes));
  }
}

TEST_F(HostDisksTest, AnInstancesDisksGoWithItOnceTheirSnapshotsAreCompleted) {
  Host host = make_host("a");
  control::Assignment assignment = give_instance(host);
  std::map<model::InstanceId, LocalVm> none;
  const auto step = [&] {
    host.disks->step(host.tasks, {assignment}, none, std::chrono::steady_clock::now());
    return std::filesystem::exists(host.disks->places().volume(volume_).path());
  };
  EXPECT_TRUE(step());
  host.tasks.snapshots = {snapshot(snapshot_, volume_)};
  EXPECT_FALSE(host.disks->remove_disks_of(assignment, host.tasks).value());
  EXPECT_TRUE(step());
  host.tasks.snapshots[0].observed.state = model::SnapshotState::kCompleted;
  EXPECT_TRUE(host.disks->remove_disks_of(assignment, host.tasks).value());
  assignment.observed.state = model::InstanceState::kTerminated;
  EXPECT_FALSE(step()) << "it was made again";
  EXPECT_TRUE(std::filesystem::exists(host.disks->places().volume(other_).path()));
}

TEST_F(HostDisksTest, ADiskInItsVmsFolderIsNoVolume) {
  Host host = make_host("a");
  control::Assignment assignment = give_instance(host);
  std::map<model::InstanceId, LocalVm> vms;
  const LocalVm& vm = vms.try_emplace(assignment.desired.id, folder_.path(), assignment.desired.id).first->second;
  std::filesystem::create_directories(vm.directory().path());
  ASSERT_TRUE(vm.directory().save_config(vmm::VmConfig()).ok());
  host.tasks.snapshots = {snapshot(snapshot_, volume_)};
  host.disks->step(host.tasks, {assignment}, vms, std::chrono::steady_clock::now());
  EXPECT_FALSE(std::filesystem::exists(host.disks->places().volume(volume_).path()));
  EXPECT_TRUE(std::filesystem::exists(host.disks->places().volume(other_).path()));
  EXPECT_TRUE(host.disks->remove_disks_of(assignment, host.tasks).value());
}

TEST_F(HostDisksTest, TheLayerServerRefusesWhatIsNoLayer) {
  Host host = make_host("a");
  const std::string id(64, 'a');
  EXPECT_EQ(host.server->answer("/", "").status, 404);
  EXPECT_EQ(host.server->answer("/v1/layers/../../etc/passwd", "").status, 400);
  EXPECT_EQ(host.server->answer("/v1/layers/" + id, "").status, 404);
  EXPECT_EQ(host.server->answer("/v1/layers/" + id + "/data", "from=0").status, 404);
  EXPECT_EQ(host.server->answer("/v1/layers/" + id + "/data", "from=-1").status, 400);
  EXPECT_EQ(host.server->answer("/v1/layers/" + id + "/data", "").status, 400);
}

TEST(Serials, AreEc2s) {
  const VolumeId id(0x123456789abcdef0);
  EXPECT_EQ(serial_of(id), "vol0123456789abcdef0");
  EXPECT_EQ(volume_of_serial(serial_of(id)).value(), id);
  EXPECT_FALSE(volume_of_serial("disk0").ok());
  EXPECT_FALSE(volume_of_serial("").ok());
}

}  // namespace
}  // namespace pileus::host
