// Disks that come to a host as files, and go out as files. The cloud is the test.
#include "host/transfer_keeper.h"

#include <gtest/gtest.h>

#include <fstream>

#include "foreign/converter.h"
#include "host/testing/fake_cloud.h"
#include "http/testing/server_fixture.h"
#include "os/file.h"

namespace pileus::host {
namespace {

using model::TransferKind;
using model::TransferState;
constexpr std::chrono::seconds kPatience{120};
constexpr u64 kDisk = 3 * kMiB;
constexpr auto kGoOn = [](double) { return true; };

class TransferKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string bytes(kDisk, '\0');
    bytes.replace(kMiB, 4096, 4096, 'x');
    write(folder_.path() / "disk.raw", bytes);
    start();
  }
  static void write(const std::filesystem::path& path, const std::string& bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  static std::string read(const std::filesystem::path& path) { return os::read_file(path, 64 * kMiB).value(); }

  void start() {
    keeper_.reset();
    worker_.reset();
    places_.emplace(DiskPlaces::open(folder_.path() / "host").value());
    worker_ = std::make_unique<LayerWorker>(places_->layers, http::Client::create().value());
    keeper_ = std::make_unique<TransferKeeper>(library_, *places_, *worker_, cloud_, layer_patience_);
  }

  control::TransferTask import_of(const std::string& url, const std::string& format = "") {
    control::TransferTask task;
    task.desired.id = id_;
    task.desired.account = account_;
    task.desired.trusted = true;
    task.desired.disks = {{"/dev/xvda", "", format, {url, "", ""}, model::SnapshotId(1)}};
    return task;
  }
  // Rounds until it has ended.
  const model::TransferObserved& run(control::TransferTask task, bool restarts = false) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    cloud_.transfers[id_] = task.observed;
    while (cloud_.transfers[id_].state == TransferState::kActive && std::chrono::steady_clock::now() < deadline) {
      control::DiskTasks tasks;
      task.observed = cloud_.transfers[id_];
      tasks.transfers = {task};
      if (restarts) start();
      if (!keeper_->step(tasks)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    control::DiskTasks none;
    keeper_->step(none);
    EXPECT_TRUE(std::filesystem::is_empty(places_->transfers)) << "something is left";
    return cloud_.transfers[id_];
  }
  void expect_imported(const model::TransferObserved& seen) {
    ASSERT_EQ(seen.state, TransferState::kCompleted) << seen.message;
    ASSERT_EQ(seen.disks.size(), 1U);
    EXPECT_EQ(seen.disks[0].bytes, kDisk);
    const auto layer = places_->layers.layer(seen.disks[0].layer);
    ASSERT_TRUE(layer.ok());
    EXPECT_TRUE(read(layer->file) == read(folder_.path() / "disk.raw"));
  }
  std::string file_url(const std::string& name) { return "file://" + (folder_.path() / name).string(); }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "transfers_").value();
  image::Library library_ = image::Library::open(folder_.path() / "library").value();
  std::chrono::milliseconds layer_patience_ = std::chrono::minutes(10);
  testing::FakeCloud cloud_;
  std::optional<DiskPlaces> places_;
  std::unique_ptr<LayerWorker> worker_;
  std::unique_ptr<TransferKeeper> keeper_;
  const model::TransferId id_{7};
  const model::AccountId account_ = model::AccountId::parse("000000000001").value();
};

TEST_F(TransferKeeperTest, AFileBecomesALayer) {
  expect_imported(run(import_of(file_url("disk.raw"), "raw")));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "disk.raw")) << "it is not ours to take";
}

TEST_F(TransferKeeperTest, AFileIsConvertedAndAnotherOfABucketToo) {
  const std::filesystem::path bucket = places_->buckets / account_.text() / "mine" / "a";
  std::filesystem::create_directories(bucket);
  ASSERT_TRUE(
      foreign::convert_from_raw(folder_.path() / "disk.raw", foreign::Format::kVmdk, bucket / "disk.vmdk", kGoOn).ok());
  control::TransferTask task = import_of("");
  task.desired.disks[0].from = {"", "mine", "a/disk.vmdk"};
  expect_imported(run(task));
}

TEST_F(TransferKeeperTest, AnImportGoesOnAfterAKillAtAnyRound) {
  expect_imported(run(import_of(file_url("disk.raw")), true));
}

TEST_F(TransferKeeperTest, AUrlIsFollowed) {
  const std::string bytes = read(folder_.path() / "disk.raw");
  const auto server = http::testing::serve([&](const http::Request& request) {
    if (request.path == "/disk") return http::Response{200, {}, bytes, nullptr, nullptr};
    if (request.path == "/moved") return http::Response{302, {{"Location", "/disk"}}, "", nullptr, nullptr};
    return http::text_response(404, "no");
  });
  expect_imported(run(import_of(http::testing::url(*server, "/moved"))));
  const auto& seen = run(import_of(http::testing::url(*server, "/gone")));
  EXPECT_EQ(seen.state, TransferState::kFailed);
  EXPECT_NE(seen.message.find("answered 404"), std::string::npos) << seen.message;
}

// Else everybody could ask the services that listen on the host for itself alone, and read its files.
TEST_F(TransferKeeperTest, StrangersReachNothingOfTheHost) {
  const auto server = http::testing::serve([](const http::Request&) { return http::text_response(200, "secret"); });
  control::TransferTask task = import_of(http::testing::url(*server, "/"));
  task.desired.trusted = false;
  EXPECT_NE(run(task).message.find("address of the host itself"), std::string::npos);
  task.desired.disks[0].from.url = file_url("disk.raw");
  EXPECT_NE(run(task).message.find("only administrators"), std::string::npos);
  task.desired.disks[0].from = {"", "..", "disk"};
  EXPECT_EQ(run(task).state, TransferState::kFailed);
  task.desired.disks[0].from = {"", "mine", "../../../../disk.raw"};
  EXPECT_EQ(run(task).state, TransferState::kFailed);
}

TEST_F(TransferKeeperTest, BadDisksFailWithTheReason) {
  EXPECT_NE(run(import_of(file_url("none"))).message.find("none"), std::string::npos);
  write(folder_.path() / "page.html", "<html>");
  EXPECT_NE(run(import_of(file_url("page.html"))).message.find("this is no disk"), std::string::npos);
  EXPECT_NE(run(import_of(file_url("disk.raw"), "qcow2")).message.find("no qcow2"), std::string::npos);
  EXPECT_EQ(cloud_.transfers[id_].state, TransferState::kFailed);
}

TEST_F(TransferKeeperTest, AnImageGoesOut) {
  const std::string layer = run(import_of(file_url("disk.raw"))).disks.at(0).layer;
  std::ptrdiff_t exported = 0;
  for (const std::string format : {"raw", "vmdk", "vhd"}) {
    control::TransferTask task;
    task.desired.id = id_;
    task.desired.account = account_;
    task.desired.kind = TransferKind::kExportImage;
    task.desired.layers = {layer};
    task.desired.format = format;
    task.desired.to = {"", "mine", "out/disk." + format};
    EXPECT_EQ(run(task).state, TransferState::kCompleted);
    const auto path = places_->bucket_file(account_, "mine", "out/disk." + format).value();
    const std::filesystem::path back = folder_.path() / (format + ".back");
    if (format == "raw") std::filesystem::copy(path, back);
    else ASSERT_TRUE(foreign::convert_to_raw(path, foreign::parse_format(format).value(), back, kGoOn).ok());
    EXPECT_TRUE(read(back) == read(folder_.path() / "disk.raw")) << format;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), ++exported)
        << "a draft is left";
  }
}

TEST_F(TransferKeeperTest, LayersThatNobodyHasAreNotWaitedForForEver) {
  layer_patience_ = std::chrono::milliseconds(100);
  start();
  control::TransferTask task;
  task.desired.id = id_;
  task.desired.account = account_;
  task.desired.kind = TransferKind::kExportImage;
  task.desired.layers = {std::string(64, 'a')};
  task.desired.format = "raw";
  task.desired.to = {"", "mine", "disk.raw"};
  const auto& seen = run(task);
  EXPECT_EQ(seen.state, TransferState::kFailed);
  EXPECT_EQ(seen.message, "fetching layer 1 of 1: no host that has it can be reached; given up");
}

TEST_F(TransferKeeperTest, AccountsAreNotToldOfTheHostsPaths) {
  control::TransferTask task = import_of("");
  task.desired.disks[0].from = {"", "mine", "a/disk"};
  EXPECT_EQ(run(task).message, "mine/a/disk: this host's bucket has no such file");
  std::filesystem::create_directories(places_->buckets / account_.text() / "mine" / "a" / "disk");
  EXPECT_EQ(run(task).message, "mine/a/disk is neither a file nor a block device");
}

TEST_F(TransferKeeperTest, WhatAKilledExportWasWritingGoes) {
  const std::filesystem::path bucket = places_->buckets / account_.text() / "mine" / "out";
  write(bucket / (std::string(kExportDraft) + "disk.raw"), "half");
  write(bucket / "disk.raw", "whole");
  start();
  EXPECT_FALSE(std::filesystem::exists(bucket / (std::string(kExportDraft) + "disk.raw")));
  EXPECT_TRUE(std::filesystem::exists(bucket / "disk.raw"));
}

}  // namespace
}  // namespace pileus::host
