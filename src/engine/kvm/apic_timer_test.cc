// A timer of the local APIC that ends while nobody runs the guest: its interrupt is in the state that is taken.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "engine/engine.h"

namespace pileus::engine {
namespace {

constexpr u64 kCode = 0x1000;
constexpr u32 kSpurious = 0x0F, kIrr = 0x20, kTimer = 0x32, kInitial = 0x38, kDivide = 0x3E;
constexpr u32 kSoftwareEnable = 0x1FF, kByOne = 0xB, kMasked = 1U << 16, kPeriodic = 1U << 17;
constexpr u32 kVector = 0x45;
constexpr u32 kCount = 10'000;  // a millisecond at most
constexpr auto kLonger = std::chrono::milliseconds(20);

struct Case {
  const char* name;
  u32 timer;
  bool requested;
};

// In real mode, with interrupts off, in a loop.
class KvmApicTimer : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
    ASSERT_TRUE(memory_.write(kCode, std::array<u8, 2>{0xEB, 0xFE}));
    Config config;
    config.memory = &memory_;
    config.mmio = &mmio_;
    config.ports = &ports_;
    engine_ = create_kvm(config).value();
    vcpu_ = engine_->create_vcpu(0).value();
    CpuState state = vcpu_->state();
    state.segment.fill({0, 0x93, 0xFFFF, 0});
    state.segment[kCs] = {0, 0x9B, 0xFFFF, 0};
    state.rip = kCode;
    state.rflags = 2;
    state.lapic.registers[kSpurious] = kSoftwareEnable;
    state.lapic.registers[kTimer] = GetParam().timer | kVector;
    state.lapic.registers[kDivide] = kByOne;
    state.lapic.registers[kInitial] = kCount;
    state.lapic.timer_initial_ns = ~u64{0};  // later than the count allows: all of it is left
    ASSERT_TRUE(vcpu_->set_state(state).ok());
  }
  bool requested() const { return (vcpu_->state().lapic.registers[kIrr + kVector / 32] >> kVector % 32 & 1) != 0; }

  guest::GuestMemory memory_ = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  guest::Bus mmio_, ports_;
  std::unique_ptr<Engine> engine_;
  Vcpu* vcpu_ = nullptr;
};

TEST_P(KvmApicTimer, EndsInAGuestThatHasNotRun) {
  std::this_thread::sleep_for(kLonger);
  EXPECT_EQ(requested(), GetParam().requested);
}

TEST_P(KvmApicTimer, EndsBeforeAKickIsSeen) {
  std::this_thread::sleep_for(kLonger);
  vcpu_->kick();
  ASSERT_EQ(vcpu_->run().reason, ExitReason::kKicked);
  EXPECT_EQ(requested(), GetParam().requested);
}

INSTANTIATE_TEST_SUITE_P(Modes, KvmApicTimer,
                         ::testing::Values(Case{"OneShot", 0, true}, Case{"Periodic", kPeriodic, true},
                                           Case{"Masked", kMasked, false}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace pileus::engine
