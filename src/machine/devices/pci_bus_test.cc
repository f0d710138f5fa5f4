#include "machine/devices/pci_bus.h"

#include <gtest/gtest.h>

namespace pileus::machine {
namespace {

struct FakeFunction : virtio::PciFunction {
  u32 config_read(u16 offset, unsigned size) override { return 0x10000u * size + offset; }
  void config_write(u16 offset, unsigned size, u32 value) override { last = {offset, size, value}; }
  std::array<u32, 3> last{};
};

class PciBusTest : public ::testing::Test {
 protected:
  PciBusTest() { bus_.attach(3, function_); }
  int resets_ = 0;
  PciBus bus_{[this] { ++resets_; }};
  FakeFunction function_;
};

constexpr u64 kDevice3 = 3u << 15;

TEST_F(PciBusTest, HostBridgeIsDeviceZero) {
  EXPECT_EQ(bus_.ecam().read(0, 4), 0x00081B36u);
  EXPECT_EQ(bus_.ecam().read(0x0A, 2), 0x0600u);
}

TEST_F(PciBusTest, AbsentFunctionsReadAllOnes) {
  EXPECT_EQ(bus_.ecam().read(1u << 15, 4) & 0xFFFFFFFF, 0xFFFFFFFFu);
  EXPECT_EQ(bus_.ecam().read(kDevice3 | 1 << 12, 4) & 0xFFFFFFFF, 0xFFFFFFFFu);
  bus_.ecam().write(1u << 15, 4, 1);
}

TEST_F(PciBusTest, EcamReachesAllOfAFunction) {
  EXPECT_EQ(bus_.ecam().read(kDevice3 + 0xFFC, 4), 0x40FFCu);
  bus_.ecam().write(kDevice3 + 6, 2, 0xBEEF);
  EXPECT_EQ(function_.last, (std::array<u32, 3>{6, 2, 0xBEEF}));
  EXPECT_EQ(bus_.ecam().read(kDevice3 + 1, 2) & 0xFFFF, 0xFFFFu);  // misaligned
}

TEST_F(PciBusTest, PortsReachTheFirst256Bytes) {
  guest::BusDevice& ports = bus_.ports();
  EXPECT_EQ(ports.read(4, 4) & 0xFFFFFFFF, 0xFFFFFFFFu);  // not enabled
  ports.write(0, 4, 0x80000000 | 3u << 11 | 0x10);
  EXPECT_EQ(ports.read(0, 4), 0x80001810u);
  EXPECT_EQ(ports.read(4, 4), 0x40010u);
  EXPECT_EQ(ports.read(6, 2), 0x20012u);
  ports.write(7, 1, 0x77);
  EXPECT_EQ(function_.last, (std::array<u32, 3>{0x13, 1, 0x77}));
  ports.write(0, 4, 0x80010000);  // bus 1
  EXPECT_EQ(ports.read(4, 4) & 0xFFFFFFFF, 0xFFFFFFFFu);
  bus_.reset();
  EXPECT_EQ(ports.read(0, 4), 0u);
}

TEST_F(PciBusTest, ResetControlRegister) {
  guest::BusDevice& ports = bus_.ports();
  ports.write(0, 4, 0x80001810);
  ports.write(1, 1, 2);
  EXPECT_EQ(ports.read(1, 1), 2u);
  EXPECT_EQ(ports.read(0, 4), 0x80001810u);  // a byte of 0xCF8 to 0xCFB is not the address
  ports.write(1, 2, 6);
  EXPECT_EQ(resets_, 0);
  ports.write(1, 1, 6);
  EXPECT_EQ(resets_, 1);
  bus_.reset();
  EXPECT_EQ(ports.read(1, 1), 0u);
}

}  // namespace
}  // namespace pileus::machine
