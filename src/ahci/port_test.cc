#include "ahci/port.h"

#include <gtest/gtest.h>

#include "ahci/disk.h"
#include "ahci/testing/driver.h"
#include "virtio/fake_disk.h"

namespace pileus::ahci {
namespace {

using testing::Driver;
using virtio::testing::FakeDisk;

constexpr u64 kDiskBytes = 256 * kSectorBytes;
constexpr testing::Piece kSector{Driver::kData, kSectorBytes};

Registers command(u8 code, u64 lba = 0, u16 count = 1) {
  return {.is_command = true, .command = code, .device = kDeviceLba, .count = count, .lba = lba};
}

Registers queued(u8 code, u32 tag, u64 lba) {
  return {.is_command = true,
          .command = code,
          .device = kDeviceLba,
          .features = 1,
          .count = static_cast<u16>(tag << 3),
          .lba = lba};
}

class PortTest : public ::testing::Test, protected Driver {
 protected:
  PortTest() {
    adapter->plug(0, std::make_unique<Disk>(std::unique_ptr<FakeDisk>(disk), "disk0",
                                            [this](const std::string& why) { waits = !why.empty(); }));
    for (std::size_t i = 0; i < disk->bytes.size(); ++i) disk->bytes[i] = static_cast<u8>(i / kSectorBytes);
    start();
  }
  // On the I/O thread, so that no command sees it half done.
  void set_full(bool full) {
    io->loop().call([&] { disk->full = full; });
  }

  FakeDisk* disk = new FakeDisk(kDiskBytes);  // the port owns it
  std::atomic<bool> waits = false;
};

TEST_F(PortTest, AReadEndsByItsFis) {
  run(command(0x25, 7, 2), {{kData, 600}, {kData + 0x10000, 424}});
  EXPECT_EQ(port(kPxIs), kIntRegisters);
  EXPECT_EQ(port(kPxCi), 0u);
  EXPECT_EQ(port(kPxTfd), 0x50u);
  EXPECT_EQ(bytes_done(), 1024u);
  EXPECT_EQ(received(kRegistersAt), 0x34);
  EXPECT_EQ(received(kRegistersAt + 1), 0x40);
  EXPECT_EQ(received(kRegistersAt + 2), 0x50);
  EXPECT_EQ(testing::peek<u8>(memory, kData + 511), 7);
  EXPECT_EQ(testing::peek<u8>(memory, kData + 512), 8);
  EXPECT_EQ(testing::peek<u8>(memory, kData + 0x10000 + 423), 8);
}

TEST_F(PortTest, ThirtyTwoQueuedCommands) {
  for (u32 tag = 0; tag < kSlots; ++tag) prepare(tag, queued(kReadQueued, tag, tag), {{kData + tag * 0x1000, 512}});
  set_port(kPxSact, ~0u);
  set_port(kPxCi, ~0u);
  wait([&] { return port(kPxSact) == 0; });
  EXPECT_EQ(port(kPxCi), 0u);
  EXPECT_EQ(port(kPxIs), kIntSetBits);
  EXPECT_EQ(received(kSetBitsAt), 0xA1);
  for (u32 tag = 0; tag < kSlots; ++tag) EXPECT_EQ(testing::peek<u8>(memory, kData + tag * 0x1000), tag);
}

TEST_F(PortTest, AnErrorStopsTheListUntilTheDriverHas) {
  run(command(0x25, 256), {kSector});
  EXPECT_EQ(port(kPxIs), kIntRegisters | kIntTaskFile);
  EXPECT_EQ(port(kPxTfd), 0x1051u);
  EXPECT_EQ(port(kPxCi), 1u);  // this one it was
  prepare(1, command(0x25), {kSector});
  set_port(kPxCi, 2);
  stop();
  EXPECT_EQ(port(kPxCi), 0u);
  start();
  run(command(0x25), {kSector});
  EXPECT_EQ(port(kPxIs), kIntRegisters);
}

TEST_F(PortTest, AQueuedErrorIsInTheLog) {
  constexpr u32 kTag = 5, kAll = 1 << kTag | 1 << 6;
  prepare(kTag, queued(kReadQueued, kTag, 256), {kSector});
  prepare(6, queued(kReadQueued, 6, 1), {kSector});
  set_port(kPxSact, kAll);
  set_port(kPxCi, 1 << kTag);
  wait([&] { return port(kPxIs) != 0; });
  set_port(kPxCi, 1 << 6);
  EXPECT_EQ(port(kPxIs), kIntSetBits | kIntTaskFile);
  EXPECT_EQ(port(kPxSact), kAll);
  stop();
  EXPECT_EQ(port(kPxSact), 0u);
  start();
  run(command(0x2F, 0x10), {kSector});
  EXPECT_EQ(testing::peek<u8>(memory, kData), kTag);
  EXPECT_EQ(testing::peek<u8>(memory, kData + 3), kErrorNotFound);
}

TEST_F(PortTest, AQueuedWriteWithoutRoomWaitsAndOthersGoOn) {
  set_full(true);
  prepare(0, queued(kWriteQueued, 0, 20), {kSector});
  prepare(1, queued(kReadQueued, 1, 1), {kSector});
  set_port(kPxSact, 3);
  set_port(kPxCi, 3);
  wait([&] { return port(kPxSact) == 1 && waits; });
  EXPECT_EQ(port(kPxCi), 1u);
  set_full(false);
  wait([&] { return port(kPxSact) == 0 && !waits; });
  EXPECT_EQ(port(kPxIs), kIntSetBits);
}

TEST_F(PortTest, ADeviceIsBusyWithAWriteThatWaits) {
  set_full(true);
  prepare(0, command(0x35, 20), {kSector});
  prepare(1, command(0x25), {kSector});
  set_port(kPxCi, 1);
  wait([&] { return waits.load(); });
  set_port(kPxCi, 2);
  EXPECT_EQ(port(kPxTfd) & kStatusBusy, u32{kStatusBusy});
  EXPECT_EQ(port(kPxCi), 3u);
  set_full(false);
  wait([&] { return port(kPxCi) == 0; });
  EXPECT_FALSE(waits);
}

TEST_F(PortTest, ADriverThatStopsTheListGivesUpWhatWaits) {
  set_full(true);
  prepare(0, command(0x35, 20), {kSector});
  set_port(kPxCi, 1);
  wait([&] { return waits.load(); });
  stop();
  EXPECT_FALSE(waits);
  EXPECT_EQ(port(kPxCi), 0u);
  set_full(false);
  EXPECT_EQ(disk->bytes[20 * kSectorBytes], 20);
}

TEST_F(PortTest, ASoftwareResetGivesTheSignature) {
  testing::poke(memory, kReceived + kRegistersAt, u32{0});
  prepare(0, {.control = kControlReset}, {});
  prepare(1, {}, {});
  set_port(kPxCi, 1);
  wait([&] { return port(kPxCi) == 0; });
  EXPECT_EQ(port(kPxTfd), u32{kStatusBusy});
  set_port(kPxCi, 2);
  wait([&] { return port(kPxCi) == 0; });
  EXPECT_EQ(port(kPxTfd), 0x0150u);
  EXPECT_EQ(received(kRegistersAt), 0x34);
  EXPECT_EQ(port(kPxIs), 0u);
}

TEST_F(PortTest, AResetOverTheCable) {
  stop();
  set_port(kPxSctl, 0x301);
  EXPECT_EQ(port(kPxSsts), 0u);
  wait([&] { return port(kPxSig) == ~0u || port(kPxTfd) == 0x7F; });
  set_port(kPxSctl, 0x300);
  wait([&] { return port(kPxSsts) == 0x133; });
  EXPECT_EQ(port(kPxTfd), 0x0150u);
  EXPECT_EQ(port(kPxIs), kIntConnect);
  set_port(kPxSctl, kDetectOff);
  EXPECT_EQ(port(kPxSsts), kDetectOff);
}

TEST_F(PortTest, ListsAndTablesOutsideOfMemoryStopIt) {
  set_port(kPxCi, 1);  // its header is all zeros: a table at address 0, with no FIS
  wait([&] { return port(kPxIs) != 0; });
  EXPECT_EQ(port(kPxIs), kIntInterface);
  stop();
  set_port(kPxClb, 0xF0000000);
  set_port(kPxCmd, kCmdReceive | kCmdStart);
  set_port(kPxIs, ~0u);
  set_port(kPxCi, 1);
  wait([&] { return port(kPxIs) != 0; });
  EXPECT_EQ(port(kPxIs), kIntHostBus);
  stop();
  start();
  run(command(0x25), {{kRam - 256, 512}});
  EXPECT_EQ(port(kPxIs), kIntHostBus);
  stop();
  start();
  run(command(0x25), {{~u64{1}, 512}});
  EXPECT_EQ(port(kPxIs), kIntHostBus);
  stop();
  set_port(kPxFb, 0xF0000000);
  set_port(kPxCmd, kCmdReceive | kCmdStart);
  run(command(0xEA), {});
  EXPECT_EQ(port(kPxIs), kIntHostBus | kIntRegisters);
}

TEST_F(PortTest, WithoutTheListThereAreNoCommands) {
  stop();
  prepare(0, command(0x25), {kSector});
  set_port(kPxCi, 1);
  EXPECT_EQ(port(kPxCi), 0u);
}

}  // namespace
}  // namespace pileus::ahci
