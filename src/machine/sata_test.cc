#include "machine/sata.h"

#include <gtest/gtest.h>

#include "virtio/empty_disk.h"

namespace pileus::machine {
namespace {

class SataTest : public ::testing::Test, private guest::MsiSink {
 protected:
  // Of a machine with disks in these places, which are not attached yet.
  Sata make(const std::vector<u32>& places, bool with_cd) {
    Disks disks;
    for (const u32 place : places) disks[place] = {};
    return Sata::create({memory_, bus_, *this, nullptr, *io_}, disks, with_cd).value();
  }
  static std::unique_ptr<ahci::Disk> disk() {
    return std::make_unique<ahci::Disk>(std::make_unique<virtio::EmptyDisk>(kMiB), "disk");
  }

 private:
  void signal_msi(u64 /*address*/, u32 /*data*/) override {}

  guest::GuestMemory memory_ = guest::GuestMemory::create(kMiB, kGiB).value();
  guest::Bus bus_;
  std::unique_ptr<virtio::IoThread> io_ = virtio::IoThread::start("test-io").value();
};

TEST_F(SataTest, HasPortsForAllAndSome) {
  EXPECT_EQ(make({0, 1}, true).adapter().port_count(), 6u);
  EXPECT_EQ(make({0, 15}, true).adapter().port_count(), 17u);
  EXPECT_EQ(make({0, 15}, true).cd_port(), 16u);
  EXPECT_EQ(make({0, 15}, false).adapter().port_count(), 16u);
}

TEST_F(SataTest, ADiskIsWhereItWasAttached) {
  Sata sata = make({0}, false);
  EXPECT_TRUE(sata.attach_disk(0, disk()).ok());
  ASSERT_NE(sata.disk_at(0), nullptr);
  EXPECT_EQ(sata.disk_at(0)->backend().size(), kMiB);
  EXPECT_EQ(sata.disk_at(1), nullptr);
  EXPECT_EQ(sata.attach_disk(0, disk()).error().code(), ErrorCode::kExists);
  EXPECT_TRUE(sata.detach_disk(0).ok());
  EXPECT_EQ(sata.disk_at(0), nullptr);
  EXPECT_EQ(sata.detach_disk(0).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(sata.attach_disk(0, disk()).ok());
}

TEST_F(SataTest, TheLastPortIsTheCdDrives) {
  Sata sata = make({0}, true);
  sata.attach_cd(std::make_unique<virtio::EmptyDisk>(kMiB));
  EXPECT_TRUE(sata.attach_disk(4, disk()).ok());
  EXPECT_EQ(sata.attach_disk(5, disk()).error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace pileus::machine
