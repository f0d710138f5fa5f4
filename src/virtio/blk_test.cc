#include "virtio/blk.h"

#include <gtest/gtest.h>

#include <cstring>

#include "virtio/fake_disk.h"
#include "virtio/fake_driver.h"

namespace pileus::virtio {
namespace {

using testing::FakeDisk;
using testing::FakeDriver;
using testing::FakeQueue;

constexpr u64 kDiskSectors = 128;
constexpr guest::Gpa kHeader = FakeDriver::kBuffersAt;
constexpr guest::Gpa kStatus = FakeDriver::kBuffersAt + 0x100;
constexpr guest::Gpa kData = FakeDriver::kBuffersAt + 0x1000;

class BlkTest : public ::testing::Test {
 protected:
  explicit BlkTest(bool read_only = false) {
    auto disk = std::make_unique<FakeDisk>(kDiskSectors * 512 + 100, read_only);
    disk_ = disk.get();
    for (std::size_t i = 0; i < disk_->bytes.size(); ++i) disk_->bytes[i] = static_cast<u8>(i / 512);
    blk_ = std::make_unique<Blk>(std::move(disk), "disk-0", [this](const std::string& why) { told_.push_back(why); });
    driver_ = std::make_unique<FakeDriver>(*blk_);
  }

  void set_header(u32 type, u64 sector) {
    testing::poke(driver_->memory, kHeader, type);
    testing::poke(driver_->memory, kHeader + 8, sector);
    testing::poke(driver_->memory, kStatus, u8{0xAA});
  }
  // The status byte, or nothing when the device did not answer.
  std::optional<u8> request(u32 type, u64 sector, const std::vector<FakeQueue::Piece>& data) {
    set_header(type, sector);
    std::vector<FakeQueue::Piece> pieces = {{kHeader, 16, false}};
    pieces.insert(pieces.end(), data.begin(), data.end());
    pieces.push_back({kStatus, 1, true});
    driver_->queues[0].add(pieces);
    blk_->notify(0);
    if (!driver_->queues[0].take_used()) return std::nullopt;
    return testing::peek<u8>(driver_->memory, kStatus);
  }
  std::optional<u8> erase(u32 type, u64 sector, u32 sectors, u32 flags) {
    testing::poke(driver_->memory, kData, sector);
    testing::poke(driver_->memory, kData + 8, sectors);
    testing::poke(driver_->memory, kData + 12, flags);
    return request(type, 0, {{kData, 16, false}});
  }

  std::vector<std::string> told_;  // of room
  FakeDisk* disk_ = nullptr;
  std::unique_ptr<Blk> blk_;
  std::unique_ptr<FakeDriver> driver_;
};

class ReadOnlyBlkTest : public BlkTest {
 protected:
  ReadOnlyBlkTest() : BlkTest(true) {}
};

TEST_F(BlkTest, ConfigSpace) {
  std::array<u8, 64> config{};
  blk_->read_config(0, config);
  u64 capacity = 0;
  u32 block_size = 0;
  std::memcpy(&capacity, &config[0], 8);
  std::memcpy(&block_size, &config[20], 4);
  EXPECT_EQ(capacity, kDiskSectors);
  EXPECT_EQ(block_size, 512U);
  EXPECT_EQ(config[56], 1);
  blk_->read_config(0xFFFFFFFF, config);
  EXPECT_EQ(config, (std::array<u8, 64>{}));
}

TEST_F(BlkTest, ReadsAndWrites) {
  EXPECT_EQ(request(0, 3, {{kData, 512, true}, {kData + 0x1000, 1024, true}}), 0);
  EXPECT_EQ(driver_->get(kData, 512), std::vector<u8>(512, 3));
  EXPECT_EQ(driver_->get(kData + 0x1000, 512), std::vector<u8>(512, 4));
  EXPECT_EQ(driver_->get(kData + 0x1200, 512), std::vector<u8>(512, 5));
  EXPECT_EQ(request(1, 127, {{kData, 512, false}}), 0);
  EXPECT_EQ(disk_->bytes[127 * 512], 3);
  EXPECT_EQ(disk_->flushes, 0);
  EXPECT_EQ(request(4, 0, {}), 0);
  EXPECT_EQ(disk_->flushes, 1);
}

TEST_F(BlkTest, AnyCutIntoDescriptorsIsTheSameRequest) {
  set_header(0, 9);
  driver_->queues[0].add({{kHeader, 5, false},
                          {kHeader + 5, 11, false},
                          {kData, 100, true},
                          {kData + 100, 412, true},
                          {kStatus, 1, true}});
  blk_->notify(0);
  ASSERT_TRUE(driver_->queues[0].take_used());
  EXPECT_EQ(driver_->get(kData, 512), std::vector<u8>(512, 9));
  set_header(0, 10);
  driver_->queues[0].add({{kHeader, 16, false}, {kData, 513, true}});  // status behind the data
  blk_->notify(0);
  EXPECT_EQ(driver_->queues[0].take_used()->length, 513U);
  EXPECT_EQ(driver_->get(kData, 512), std::vector<u8>(512, 10));
  EXPECT_EQ(driver_->get(kData + 512, 1)[0], 0);
}

TEST_F(BlkTest, BadRangesAreErrors) {
  EXPECT_EQ(request(0, kDiskSectors, {{kData, 512, true}}), 1);
  EXPECT_EQ(request(0, kDiskSectors - 1, {{kData, 1024, true}}), 1);
  EXPECT_EQ(request(0, ~u64{0}, {{kData, 512, true}}), 1);
  EXPECT_EQ(request(0, u64{1} << 55, {{kData, 512, true}}), 1);
  EXPECT_EQ(request(0, 0, {{kData, 511, true}}), 1);
  EXPECT_EQ(request(1, ~u64{0}, {{kData, 512, false}}), 1);
  EXPECT_EQ(request(1, 0, {{kData, 100, false}}), 1);
  EXPECT_TRUE(driver_->link.reset_reason.empty());
}

TEST_F(BlkTest, FailingDiskIsAnErrorForTheGuest) {
  disk_->failing = true;
  EXPECT_EQ(request(0, 0, {{kData, 512, true}}), 1);
  EXPECT_EQ(request(1, 0, {{kData, 512, false}}), 1);
  EXPECT_EQ(erase(11, 0, 8, 0), 1);
}

TEST_F(BlkTest, AChangeWithoutRoomWaitsAndOthersGoOn) {
  driver_->put(kData, std::vector<u8>(512, 0x77));
  disk_->full = true;
  EXPECT_FALSE(request(1, 20, {{kData, 512, false}}));
  EXPECT_EQ(told_, std::vector<std::string>{"no room"});
  EXPECT_FALSE(driver_->link.later.empty());
  EXPECT_EQ(disk_->bytes[20 * 512], 20);
  // It keeps its buffers; others have their own.
  constexpr guest::Gpa kElsewhere = 0x10000;
  const auto ask = [&](u32 type, u64 sector) {
    testing::poke(driver_->memory, kHeader + kElsewhere, type);
    testing::poke(driver_->memory, kHeader + kElsewhere + 8, sector);
    driver_->queues[0].add(
        {{kHeader + kElsewhere, 16, false}, {kData + kElsewhere, 512, type == 0}, {kStatus + kElsewhere, 1, true}});
    blk_->notify(0);
  };
  for (const u64 sector : {u64{3}, u64{30}}) {
    ask(0, sector);
    EXPECT_TRUE(driver_->queues[0].take_used()) << "it reads on";
  }
  ask(1, 3);
  EXPECT_TRUE(driver_->queues[0].take_used()) << "what has its room is written";
  EXPECT_EQ(told_.size(), 1U) << "it is told once";
  disk_->full = false;
  blk_->notify(0);
  EXPECT_TRUE(driver_->queues[0].take_used());
  EXPECT_EQ(testing::peek<u8>(driver_->memory, kStatus), 0);
  EXPECT_EQ(disk_->bytes[20 * 512], 0x77);
  EXPECT_EQ(told_, (std::vector<std::string>{"no room", ""}));
}

TEST_F(BlkTest, AResetForgetsWhatWaits) {
  disk_->full = true;
  EXPECT_FALSE(request(1, 20, {{kData, 512, false}}));
  blk_->reset();
  EXPECT_EQ(told_, (std::vector<std::string>{"no room", ""}));
  disk_->full = false;
  EXPECT_EQ(disk_->bytes[20 * 512], 20);
}

TEST_F(BlkTest, NobodyKeepsMoreWaitingThanTheQueueHolds) {
  disk_->full = true;
  set_header(1, 20);
  for (int i = 0; i < 300 && driver_->link.reset_reason.empty(); ++i) {
    driver_->queues[0].add({{kHeader, 16, false}, {kData, 512, false}, {kStatus, 1, true}});
    blk_->notify(0);
  }
  EXPECT_NE(driver_->link.reset_reason.find("more requests"), std::string::npos) << driver_->link.reset_reason;
}

TEST_F(BlkTest, GetId) {
  EXPECT_EQ(request(8, 0, {{kData, 20, true}}), 0);
  const std::vector<u8> id = driver_->get(kData, 20);
  EXPECT_EQ(std::string(id.begin(), id.begin() + 7), std::string("disk-0\0", 7));
}

TEST_F(BlkTest, UnknownRequest) { EXPECT_EQ(request(99, 0, {{kData, 512, true}}), 2); }

TEST_F(BlkTest, DiscardAndWriteZeroes) {
  EXPECT_EQ(erase(11, 8, 16, 0), 0);
  EXPECT_EQ(disk_->discarded, 16U * 512);
  EXPECT_EQ(erase(11, 8, 16, 1), 2);  // unmap means nothing for a discard
  EXPECT_EQ(erase(13, 8, 1, 1), 0);
  EXPECT_EQ(disk_->bytes[8 * 512], 0);
  EXPECT_EQ(disk_->bytes[9 * 512], 9);
  EXPECT_EQ(erase(13, 8, 1, 2), 2);
  EXPECT_EQ(erase(13, kDiskSectors, 1, 0), 1);
  EXPECT_EQ(erase(13, 0, 0xFFFFFFFF, 0), 1);
  EXPECT_EQ(request(11, 0, {{kData, 15, false}}), 1);
  EXPECT_EQ(request(11, 0, {}), 1);
  EXPECT_EQ(request(11, 0, {{kData, 17 * 16, false}}), 1);
}

TEST_F(BlkTest, WithoutTheFlushFeatureWritesAreDurable) {
  driver_.reset();
  driver_ = std::make_unique<FakeDriver>(*blk_, u64{0});
  EXPECT_EQ(request(1, 0, {{kData, 512, false}}), 0);
  EXPECT_EQ(disk_->flushes, 1);
}

TEST_F(BlkTest, ShortChainsNeedAReset) {
  driver_->queues[0].add({{kHeader, 15, false}, {kStatus, 1, true}});
  blk_->notify(0);
  EXPECT_FALSE(driver_->queues[0].take_used());
  EXPECT_FALSE(driver_->link.reset_reason.empty());
  EXPECT_EQ(request(0, 0, {{kData, 512, true}}), std::nullopt);  // stays broken
  driver_.reset();
  driver_ = std::make_unique<FakeDriver>(*blk_);
  EXPECT_EQ(request(0, 0, {{kData, 512, true}}), 0);
  driver_->queues[0].add({{kHeader, 16, false}});
  blk_->notify(0);
  EXPECT_FALSE(driver_->link.reset_reason.empty());
}

TEST_F(ReadOnlyBlkTest, RefusesChanges) {
  EXPECT_NE(blk_->features() & (u64{1} << 5), 0U);
  EXPECT_EQ(request(0, 0, {{kData, 512, true}}), 0);
  EXPECT_EQ(request(1, 0, {{kData, 512, false}}), 1);
  EXPECT_EQ(erase(13, 0, 1, 0), 1);
  EXPECT_EQ(erase(11, 0, 1, 0), 1);
  EXPECT_EQ(request(4, 0, {}), 0);
}

TEST_F(BlkTest, AGrownDiskTellsTheDriverOnce) {
  disk_->bytes.resize(2 * kDiskSectors * 512);
  blk_->resized();
  blk_->resized();
  EXPECT_EQ(driver_->link.config_changes, 1);
  u64 capacity = 0;
  blk_->read_config(0, std::span<u8>(reinterpret_cast<u8*>(&capacity), sizeof capacity));
  EXPECT_EQ(capacity, 2 * kDiskSectors);
}

}  // namespace
}  // namespace pileus::virtio
