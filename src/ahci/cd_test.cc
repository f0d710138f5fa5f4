#include "ahci/cd.h"

#include <gtest/gtest.h>

#include "ahci/testing/buffer.h"
#include "virtio/fake_disk.h"

namespace pileus::ahci {
namespace {

using virtio::CdDrive;
using virtio::testing::FakeDisk;

class CdTest : public ::testing::Test {
 protected:
  Outcome run(u8 command, const std::vector<u8>& packet = {}) {
    Command given{.registers = {.is_command = true, .command = command}, .packet = {}};
    std::ranges::copy(packet, given.packet.begin());
    return cd_.execute(given, buffer_.transfer()).value();
  }

  static constexpr u8 kPacket = 0xA0;
  FakeDisk* disc_ = new FakeDisk(100 * CdDrive::kSector);
  Cd cd_{std::unique_ptr<FakeDisk>(disc_)};
  testing::Buffer buffer_{8 * kKiB};
};

TEST_F(CdTest, SaysWhatItIs) {
  EXPECT_EQ(cd_.signature().lba << 8 | cd_.signature().count, 0xEB140101u);
  EXPECT_EQ(run(0xA1).told, Outcome::Told::kPioSetup);
  EXPECT_EQ(buffer_.word(0), 0x85C0);
  const Outcome wrong = run(0xEC);
  EXPECT_TRUE(wrong.failed());
  EXPECT_EQ(wrong.state.lba, cd_.signature().lba);
}

TEST_F(CdTest, ReadsTheDisc) {
  disc_->bytes[7 * CdDrive::kSector] = 0x77;
  const Outcome outcome = run(kPacket, {0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0});
  EXPECT_FALSE(outcome.failed());
  EXPECT_EQ(outcome.bytes, 2 * CdDrive::kSector);
  EXPECT_EQ(outcome.state.count, 3);
  EXPECT_EQ(buffer_.byte(0), 0x77);
}

TEST_F(CdTest, SenseIsKeptUntilItIsAskedFor) {
  const Outcome outcome = run(kPacket, {0x28, 0, 0, 0, 0, 100, 0, 0, 1, 0});
  EXPECT_TRUE(outcome.failed());
  EXPECT_EQ(outcome.state.error, 0x54);
  EXPECT_EQ(run(kPacket, {0x03, 0, 0, 0, 18, 0}).bytes, 18u);
  EXPECT_EQ(buffer_.byte(2), 5);
  EXPECT_EQ(buffer_.byte(12), 0x21);
  run(kPacket, {0x03, 0, 0, 0, 18, 0});
  EXPECT_EQ(buffer_.byte(2), 0);
}

TEST_F(CdTest, FailsWhatTheDiscOrTheMemoryFails) {
  EXPECT_EQ(run(kPacket, {0x28, 0, 0, 0, 0, 0, 0, 0, 5, 0}).state.error, 0xB4);  // more than the table names
  disc_->failing = true;
  EXPECT_EQ(run(kPacket, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}).state.error, 0x34);
  EXPECT_EQ(run(0xC8).state.error, kErrorAborted);
}

}  // namespace
}  // namespace pileus::ahci
