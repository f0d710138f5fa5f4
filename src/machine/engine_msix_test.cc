// The vector table of a device in front of each engine: what a driver does to it, and what arrives at the local APIC.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "engine/engine.h"
#include "virtio/msix.h"

namespace pileus::machine {
namespace {

using namespace std::chrono_literals;

constexpr u64 kApic = 0xFEE00000;
constexpr u32 kSpurious = 0x0F, kIrr = 0x20, kSoftwareEnable = 0x1FF;
constexpr u16 kVectors = 17;  // a block device with 16 queues

class EngineMsix : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const bool kvm = std::string_view(GetParam()) == "kvm";
    if (kvm) {
      if (const auto features = engine::kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
    }
    engine::Config config;
    config.memory = &memory_;
    config.mmio = &mmio_;
    config.ports = &ports_;
    engine_ = kvm ? engine::create_kvm(config).value() : engine::create_bt(config).value();
    vcpu_ = engine_->create_vcpu(0).value();
    take();
    plug();
  }

  void plug() {
    msix_ = std::make_unique<virtio::Msix>(kVectors, *engine_);
    msix_->set_control(true, false);
  }
  void program(u16 vector, u32 data) {
    const u64 entry = vector * virtio::Msix::kEntryBytes;
    mask(vector, true);
    msix_->write_table(entry, 4, kApic);
    msix_->write_table(entry + 4, 4, 0);
    msix_->write_table(entry + 8, 4, data);
    mask(vector, false);
  }
  void mask(u16 vector, bool masked) { msix_->write_table(vector * virtio::Msix::kEntryBytes + 12, 4, masked ? 1 : 0); }

  static std::vector<u32> requests(const engine::CpuState& state) {
    std::vector<u32> found;
    for (u32 vector = 0; vector < 256; ++vector) {
      if ((state.lapic.registers[kIrr + vector / 32] >> (vector % 32) & 1) != 0) found.push_back(vector);
    }
    return found;
  }
  // The requests at the APIC, which has none afterwards.
  std::vector<u32> take() {
    engine::CpuState state = vcpu_->state();
    const std::vector<u32> found = requests(state);
    for (u32 i = 0; i < 8; ++i) state.lapic.registers[kIrr + i] = 0;
    state.lapic.registers[kSpurious] = kSoftwareEnable;
    EXPECT_TRUE(vcpu_->set_state(state).ok());
    return found;
  }
  // What arrives perhaps comes from a thread of the kernel's.
  std::vector<u32> wait_for(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (requests(vcpu_->state()).size() < count && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(1ms);
    }
    return take();
  }

  guest::GuestMemory memory_ = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  guest::Bus mmio_, ports_;
  std::unique_ptr<engine::Engine> engine_;
  engine::Vcpu* vcpu_ = nullptr;
  std::unique_ptr<virtio::Msix> msix_;
};

TEST_P(EngineMsix, FollowsTheTable) {
  for (u16 vector = 0; vector < kVectors; ++vector) program(vector, 0x40U + vector);
  msix_->signal(2);
  EXPECT_EQ(wait_for(1), std::vector<u32>{0x42});
  program(2, 0x90);
  msix_->signal(2);
  EXPECT_EQ(wait_for(1), std::vector<u32>{0x90});
  for (u16 vector = 0; vector < kVectors; ++vector) msix_->signal(vector);
  EXPECT_EQ(wait_for(kVectors).size(), kVectors);
}

TEST_P(EngineMsix, HoldsWhatIsMasked) {
  for (u16 vector = 0; vector < 4; ++vector) program(vector, 0x40U + vector);
  mask(1, true);
  for (u16 vector = 0; vector < 2; ++vector) msix_->signal(vector);
  EXPECT_EQ(wait_for(1), std::vector<u32>{0x40});
  msix_->set_control(true, true);
  for (u16 vector = 2; vector < 4; ++vector) msix_->signal(vector);
  EXPECT_EQ(msix_->read_pending(0, 8), 0xEU);
  EXPECT_TRUE(take().empty());
  msix_->set_control(true, false);
  EXPECT_EQ(wait_for(2), (std::vector<u32>{0x42, 0x43}));
  EXPECT_EQ(msix_->read_pending(0, 8), 2U);
  mask(1, false);
  EXPECT_EQ(wait_for(1), std::vector<u32>{0x41});
  EXPECT_EQ(msix_->read_pending(0, 8), 0U);
}

TEST_P(EngineMsix, AResetSilencesIt) {
  program(0, 0x40);
  mask(0, true);
  msix_->signal(0);
  msix_->reset();
  msix_->signal(0);
  msix_->set_control(true, false);
  program(0, 0x41);
  EXPECT_TRUE(take().empty());
  msix_->signal(0);
  EXPECT_EQ(wait_for(1), std::vector<u32>{0x41});
}

// Taken out with interrupts on their way, and another one in its place.
TEST_P(EngineMsix, ADeviceLeavesAndAnotherComes) {
  for (u32 round = 0; round < 3; ++round) {
    for (u16 vector = 0; vector < kVectors; ++vector) program(vector, 0x40U + vector);
    mask(0, true);
    msix_->signal(0);
    msix_->signal(1);
    msix_.reset();
    EXPECT_EQ(wait_for(1), std::vector<u32>{0x41});
    plug();
    program(0, 0x50);
    EXPECT_EQ(msix_->read_pending(0, 8), 0U);
    msix_->signal(0);
    EXPECT_EQ(wait_for(1), std::vector<u32>{0x50});
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineMsix, ::testing::Values("bt", "kvm"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace pileus::machine
