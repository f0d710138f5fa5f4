#include "virtio/msix.h"

#include <gtest/gtest.h>

namespace pileus::virtio {
namespace {

constexpr u64 kApic = 0xFEE00000;

class MsixTest : public ::testing::Test, private guest::MsiSink {
 protected:
  void program(u16 vector, u32 data, bool masked = false) {
    msix_.write_table(vector * Msix::kEntryBytes, 8, kApic);
    msix_.write_table(vector * Msix::kEntryBytes + 8, 4, data);
    mask(vector, masked);
  }
  void mask(u16 vector, bool masked) { msix_.write_table(vector * Msix::kEntryBytes + 12, 4, masked ? 1 : 0); }
  std::vector<u32> take() { return std::exchange(sent_, {}); }

  Msix msix_{70, *this};

 private:
  void signal_msi(u64 address, u32 data) override {
    EXPECT_EQ(address, kApic);
    sent_.push_back(data);
  }
  std::vector<u32> sent_;
};

TEST_F(MsixTest, SendsWhatTheTableSaysNow) {
  msix_.set_control(true, false);
  program(3, 0x43);
  msix_.signal(3);
  program(3, 0x53);
  msix_.signal(3);
  msix_.signal(70);  // no such vector
  EXPECT_EQ(take(), (std::vector<u32>{0x43, 0x53}));
}

TEST_F(MsixTest, IsSilentWhileOff) {
  program(0, 0x40);
  msix_.signal(0);
  msix_.set_control(true, false);
  EXPECT_EQ(msix_.read_pending(0, 8), 0U);
  EXPECT_TRUE(take().empty());
}

TEST_F(MsixTest, AMaskedVectorIsPending) {
  msix_.set_control(true, false);
  program(65, 0x41, true);
  msix_.signal(65);
  msix_.signal(65);
  EXPECT_EQ(msix_.read_pending(8, 8), 2U);
  EXPECT_EQ(msix_.read_pending(0, 8), 0U);
  program(65, 0x61, true);  // a driver changes a vector while it is masked
  EXPECT_TRUE(take().empty());
  mask(65, false);
  EXPECT_EQ(take(), std::vector<u32>{0x61});
  EXPECT_EQ(msix_.read_pending(8, 8), 0U);
}

TEST_F(MsixTest, TheFunctionsMaskHoldsAllVectors) {
  program(0, 0x40);
  program(1, 0x41, true);
  msix_.set_control(true, true);
  msix_.signal(0);
  msix_.signal(1);
  EXPECT_EQ(msix_.read_pending(0, 4), 3U);
  msix_.set_control(true, false);
  EXPECT_EQ(take(), std::vector<u32>{0x40});
  EXPECT_EQ(msix_.read_pending(0, 4), 2U);
}

TEST_F(MsixTest, AResetForgetsWhatWasPending) {
  msix_.set_control(true, false);
  program(0, 0x40, true);
  msix_.signal(0);
  msix_.reset();
  msix_.set_control(true, false);
  program(0, 0x40);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(msix_.read_pending(0, 8), 0U);
}

}  // namespace
}  // namespace pileus::virtio
