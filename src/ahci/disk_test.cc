#include "ahci/disk.h"

#include <gtest/gtest.h>

#include "ahci/testing/buffer.h"
#include "virtio/fake_disk.h"

namespace pileus::ahci {
namespace {

using testing::Buffer;
using virtio::testing::FakeDisk;

constexpr u64 kSectors = 256;
constexpr u8 kReadDma = 0xC8, kWriteDma = 0xCA, kReadDmaExt = 0x25, kWriteDmaExt = 0x35, kReadPio = 0x20,
             kWritePio = 0x30;
constexpr u8 kIdentify = 0xEC, kSetFeatures = 0xEF, kTrim = 0x06, kFlush = 0xE7, kReadLog = 0x2F;

class DiskTest : public ::testing::Test {
 protected:
  Outcome run(const Registers& registers) {
    return disk_.execute({.registers = registers}, buffer_.transfer()).value();
  }
  Outcome run(u8 command, u64 lba = 0, u16 count = 1, u16 features = 0) {
    return run({.is_command = true,
                .command = command,
                .device = kDeviceLba,
                .features = features,
                .count = count,
                .lba = lba});
  }
  u16 word(std::size_t index) const { return buffer_.word(index); }

  FakeDisk* backend_ = new FakeDisk(kSectors * kSectorBytes + 100);  // a part of a sector at the end
  Disk disk_{std::unique_ptr<FakeDisk>(backend_), "disk0"};
  Buffer buffer_{64 * kKiB};
};

TEST_F(DiskTest, SaysWhatItIs) {
  const Outcome outcome = run(kIdentify);
  EXPECT_EQ(outcome.told, Outcome::Told::kPioSetup);
  EXPECT_EQ(outcome.bytes, kSectorBytes);
  EXPECT_EQ(word(10), 'd' << 8 | 'i');
  EXPECT_EQ(word(60), kSectors);
  EXPECT_EQ(word(100), kSectors);
  EXPECT_EQ(word(75), 31);
  EXPECT_EQ(word(169), 1);
  u8 sum = 0;
  for (std::size_t i = 0; i < kSectorBytes; ++i) sum = static_cast<u8>(sum + buffer_.byte(i));
  EXPECT_EQ(sum, 0);
}

TEST_F(DiskTest, AShortAddressHasItsUpperBitsInTheDevice) {
  backend_->bytes[5 * kSectorBytes] = 0xAB;
  EXPECT_FALSE(run(kReadDma, 5).failed());
  EXPECT_EQ(buffer_.byte(0), 0xAB);
  const Outcome beyond = run({.is_command = true, .command = kReadDma, .device = kDeviceLba | 1, .count = 1, .lba = 5});
  EXPECT_EQ(beyond.state.error, kErrorNotFound);
  const Outcome cylinders = run({.is_command = true, .command = kReadDma, .count = 1, .lba = 5});
  EXPECT_EQ(cylinders.state.error, kErrorAborted);
}

TEST_F(DiskTest, NoneMeansAll) {
  Buffer large(kSectors * kSectorBytes);
  const Registers registers{.is_command = true, .command = kReadDma, .device = kDeviceLba, .count = 0};
  EXPECT_EQ(disk_.execute({.registers = registers}, large.transfer())->bytes, 256 * kSectorBytes);
  EXPECT_EQ(run(kReadDmaExt, 0, 0).state.error, kErrorNotFound);  // 65,536 sectors
}

TEST_F(DiskTest, ReadsAndWritesByPio) {
  buffer_.set(0, 0x5A);
  EXPECT_EQ(run(kWritePio, 9).told, Outcome::Told::kRegisters);
  EXPECT_EQ(backend_->bytes[9 * kSectorBytes], 0x5A);
  buffer_.set(0, 0);
  EXPECT_EQ(run(kReadPio, 9).told, Outcome::Told::kPioSetup);
  EXPECT_EQ(buffer_.byte(0), 0x5A);
  EXPECT_EQ(run(kReadPio, kSectors).told, Outcome::Told::kRegisters);
}

TEST_F(DiskTest, ATableThatIsTooShortAbortsTheCommand) {
  EXPECT_EQ(run(kReadDmaExt, 0, 129).state.error, kErrorAborted);
  EXPECT_EQ(run(kWriteDmaExt, 0, 129).state.error, kErrorAborted);
  EXPECT_EQ(run(kTrim, 0, 9, 1).state.error, kErrorAborted);
}

TEST_F(DiskTest, WritesAreFlushedWhenItIsWishedFor) {
  constexpr u8 kWriteFua = 0x3D, kForced = 0x80;
  run(kWriteDma);
  EXPECT_EQ(backend_->flushes, 0);
  run(kFlush);
  EXPECT_EQ(backend_->flushes, 1);
  run(kWriteFua);
  EXPECT_EQ(backend_->flushes, 2);
  run({.is_command = true, .command = kWriteQueued, .device = kForced | kDeviceLba, .features = 1});
  EXPECT_EQ(backend_->flushes, 3);
  run(kSetFeatures, 0, 0, 0x82);
  EXPECT_EQ(backend_->flushes, 4);
  run(kWriteDma);
  EXPECT_EQ(backend_->flushes, 5);
  run(kIdentify);
  EXPECT_EQ(word(85) & 0x20, 0);
  disk_.reset();
  run(kWriteDma);
  EXPECT_EQ(backend_->flushes, 5);
}

TEST_F(DiskTest, TrimsRanges) {
  buffer_.set_long(0, u64{3} << 48 | 10);
  buffer_.set_long(16, u64{1} << 48 | 100);  // behind one that is none
  EXPECT_FALSE(run(kTrim, 0, 1, 1).failed());
  EXPECT_EQ(backend_->discarded, 4 * kSectorBytes);
  buffer_.set_long(0, u64{3} << 48 | (kSectors - 2));
  EXPECT_EQ(run(kTrim, 0, 1, 1).state.error, kErrorNotFound);
  EXPECT_EQ(run(kTrim, 0, 1, 2).state.error, kErrorAborted);
}

TEST_F(DiskTest, LogsAreListed) {
  EXPECT_FALSE(run(kReadLog, 0).failed());
  EXPECT_EQ(word(0), 1);
  EXPECT_EQ(word(0x10), 1);
  EXPECT_EQ(run(kReadLog, 0x30).state.error, kErrorAborted);
  EXPECT_EQ(run(kReadLog, 0x10, 2).state.error, kErrorAborted);
}

TEST_F(DiskTest, WhatItDoesNotHaveIsRefused) {
  for (const u8 command : {u8{0xB0}, u8{0xA1}, u8{0xA0}, u8{0x27}, u8{0x00}}) {
    EXPECT_EQ(run(command).state.error, kErrorAborted);
    EXPECT_EQ(run(command).state.status, kStatusIdle | kStatusError);
  }
  EXPECT_EQ(run(kSetFeatures, 0, 0, 0x05).state.error, kErrorAborted);
}

TEST_F(DiskTest, ABackendThatFailsIsAnErrorOfTheMedium) {
  backend_->failing = true;
  EXPECT_EQ(run(kReadDma).state.error, kErrorUncorrectable);
  EXPECT_EQ(run(kWriteDma).state.error, kErrorUncorrectable);
}

TEST_F(DiskTest, NoRoomIsNoAnswer) {
  backend_->full = true;
  const Registers registers{.is_command = true, .command = kWriteDma, .device = kDeviceLba, .count = 1, .lba = 20};
  EXPECT_FALSE(disk_.execute({.registers = registers}, buffer_.transfer()).has_value());
}

TEST_F(DiskTest, AReadOnlyDiskRefusesChanges) {
  Disk disk(std::make_unique<FakeDisk>(kSectors * kSectorBytes, true), "disk1");
  for (const u8 command : {kWriteDma, kTrim}) {
    const Registers registers{
        .is_command = true, .command = command, .device = kDeviceLba, .features = 1, .count = 1, .lba = 0};
    EXPECT_EQ(disk.execute({.registers = registers}, buffer_.transfer())->state.error, kErrorAborted);
  }
}

}  // namespace
}  // namespace pileus::ahci
