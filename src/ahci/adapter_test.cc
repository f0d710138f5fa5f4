#include "ahci/adapter.h"

#include <gtest/gtest.h>

#include "ahci/disk.h"
#include "ahci/testing/driver.h"
#include "virtio/fake_disk.h"

namespace pileus::ahci {
namespace {

using testing::Driver;
using virtio::testing::FakeDisk;

constexpr u64 kDiskBytes = 256 * kSectorBytes;
constexpr Registers kRead{.is_command = true, .command = 0x25, .device = kDeviceLba, .count = 1};
constexpr Registers kFlush{.is_command = true, .command = 0xEA};
constexpr testing::Piece kSector{Driver::kData, kSectorBytes};

class AdapterTest : public ::testing::Test, protected Driver {
 protected:
  AdapterTest() { adapter->plug(0, make_disk()); }
  static std::unique_ptr<Device> make_disk() {
    return std::make_unique<Disk>(std::make_unique<FakeDisk>(kDiskBytes), "disk0");
  }
};

TEST_F(AdapterTest, IsAnAhciAdapter) {
  constexpr u16 kClass = 0x09, kBar5 = 0x24;
  EXPECT_EQ(config_read(kClass, 4) & 0xFFFFFF, 0x010601u);
  config(kBar5, 4, ~0u);
  EXPECT_EQ(config_read(kBar5, 4), ~static_cast<u32>(Adapter::kBarSize - 1));
  config(kBar5, 4, kBar);
  EXPECT_EQ(get(kCap) & 0x1F, 1u);  // two ports
  EXPECT_EQ(get(kCap) >> 8 & 0x1F, 31u);
  EXPECT_EQ(get(kPi), 3u);
  EXPECT_EQ(get(kVs), 0x00010301u);
  EXPECT_EQ(get(kGhc), kGhcAhci);
}

TEST_F(AdapterTest, ADiskIsSeenAndAnEmptyPortIsEmpty) {
  EXPECT_EQ(port(kPxSsts), 0x133u);
  EXPECT_EQ(port(kPxSig), 0x00000101u);
  EXPECT_EQ(port(kPxTfd), 0x0150u);
  EXPECT_EQ(port(kPxSsts, 1), 0u);
  EXPECT_EQ(port(kPxSig, 1), ~0u);
  EXPECT_EQ(port(kPxTfd, 1), 0x7Fu);
  EXPECT_EQ(get(Driver::port_at(kPxSsts, 2)), 0u);  // no such port
}

TEST_F(AdapterTest, RegistersAreReadInPartsAndWrittenAsAWhole) {
  set_port(kPxClb, 0x12345678);
  EXPECT_EQ(port(kPxClb), 0x12345400u);  // aligned
  u64 value = 0;
  ASSERT_TRUE(bus.read(kBar + port_at(kPxClb) + 1, 1, &value));
  EXPECT_EQ(value, 0x54u);
  ASSERT_TRUE(bus.write(kBar + port_at(kPxClb), 8, 0x1'2000'0000));
  ASSERT_TRUE(bus.read(kBar + port_at(kPxClb), 8, &value));
  EXPECT_EQ(value, 0x1'2000'0000u);
  ASSERT_TRUE(bus.write(kBar + port_at(kPxClb) + 1, 1, 7));
  EXPECT_EQ(port(kPxClb), 0x20000000u);
}

TEST_F(AdapterTest, AMessageForEachTimeAPortBegins) {
  use_messages();
  start();
  run(kRead, {kSector});
  wait([&] { return sink.messages == 1; });
  EXPECT_EQ(get(kIs), 1u);
  EXPECT_FALSE(line.high);
  set(kIs, 1);  // but the port goes on
  wait([&] { return sink.messages == 2; });
  set_port(kPxIs, ~0u);
  set(kIs, 1);
  EXPECT_EQ(get(kIs), 0u);
  EXPECT_EQ(sink.messages, 2);
}

TEST_F(AdapterTest, TheWireIsHighUntilTheDriverHasTakenAll) {
  constexpr u32 kIntxDisable = 0x400;
  start();
  run(kRead, {kSector});
  wait([&] { return line.high.load(); });
  config(virtio::kPciCommand, 2, virtio::kPciCommandMemory | kIntxDisable);
  EXPECT_FALSE(line.high);
  config(virtio::kPciCommand, 2, virtio::kPciCommandMemory);
  EXPECT_TRUE(line.high);
  set_port(kPxIs, ~0u);
  EXPECT_TRUE(line.high);
  set(kIs, ~0u);
  EXPECT_FALSE(line.high);
  EXPECT_EQ(sink.messages, 0);
}

TEST_F(AdapterTest, AResetOfTheAdapterEndsByItself) {
  start();
  set(kGhc, kGhcReset | kGhcInterrupts);
  wait([&] { return (get(kGhc) & kGhcReset) == 0; });
  EXPECT_EQ(get(kGhc), kGhcAhci);
  EXPECT_EQ(port(kPxCmd) & (kCmdStart | kCmdRunning | kCmdReceive), 0u);
  EXPECT_EQ(port(kPxIe), 0u);
  EXPECT_EQ(port(kPxSsts), 0x133u);
  start();
  run(kFlush, {});
  EXPECT_EQ(port(kPxCi), 0u);
}

TEST_F(AdapterTest, ThePowerOnStateHasNoMessages) {
  use_messages();
  start();
  adapter->reset();
  u64 value = 0;
  EXPECT_FALSE(bus.read(kBar + port_at(kPxClb), 4, &value));
  config(virtio::kPciCommand, 2, virtio::kPciCommandMemory);
  EXPECT_EQ(port(kPxClb), 0u);
  start();
  run(kFlush, {});
  wait([&] { return line.high.load(); });
  EXPECT_EQ(sink.messages, 0);
}

TEST_F(AdapterTest, DisksComeAndGo) {
  start(1);
  adapter->plug(1, make_disk());
  EXPECT_EQ(port(kPxSsts, 1), 0x133u);
  EXPECT_EQ(port(kPxIs, 1), kIntConnect);
  EXPECT_EQ(get(kIs), 2u);
  EXPECT_EQ(received(kRegistersAt), 0x34);  // its signature
  set_port(kPxSerr, ~0u, 1);
  EXPECT_EQ(port(kPxIs, 1), 0u);
  run(kFlush, {}, {}, 1);
  adapter->unplug(1);
  EXPECT_EQ(port(kPxSsts, 1), 0u);
  EXPECT_EQ(port(kPxIs, 1) & kIntPhyReady, kIntPhyReady);
  set_port(kPxCi, 1, 1);  // nobody takes it
  EXPECT_EQ(port(kPxCi, 1), 1u);
  stop(1);
  EXPECT_EQ(port(kPxCi, 1), 0u);
}

}  // namespace
}  // namespace pileus::ahci
