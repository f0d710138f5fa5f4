#include "engine/kvm/sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "engine/engine.h"

namespace pileus::engine {
namespace {

using namespace std::chrono_literals;

constexpr u64 kCode = 0x1000;

// Runs `code`, which does not end, in protected mode until something was found.
class KvmSampler : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
    Config config;
    config.memory = &memory_;
    config.mmio = &mmio_;
    config.ports = &ports_;
    engine_ = create_kvm(config).value();
    vcpu_ = engine_->create_vcpu(0).value();
  }
  Profile profile(const std::vector<u8>& code) {
    EXPECT_TRUE(memory_.write(kCode, code));
    CpuState state = vcpu_->state();
    state.segment.fill({0x10, 0xC093, 0xFFFFFFFF, 0});
    state.segment[kCs] = {0x08, 0xC09B, 0xFFFFFFFF, 0};
    state.cr0 = 0x11;
    state.rip = kCode;
    state.rflags = 2;
    EXPECT_TRUE(vcpu_->set_state(state).ok());
    EXPECT_TRUE(engine_->start_profile(1'000'000).ok());
    EXPECT_EQ(engine_->start_profile(1'000'000).error().code(), ErrorCode::kBusy);
    std::thread guest([this] { EXPECT_EQ(vcpu_->run().reason, ExitReason::kKicked); });
    std::this_thread::sleep_for(2s);
    Profile found = engine_->stop_profile();
    vcpu_->kick();
    guest.join();
    return found;
  }
  static u64 count(const Profile& profile, Activity activity) {
    u64 sum = 0;
    for (const ProfileEntry& entry : profile.entries) {
      EXPECT_FALSE(entry.user);
      if (entry.activity == activity) sum += entry.count;
    }
    return sum;
  }
  guest::GuestMemory memory_ = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  guest::Bus mmio_, ports_;
  std::unique_ptr<Engine> engine_;
  Vcpu* vcpu_ = nullptr;
};

TEST_F(KvmSampler, FindsWhereTheGuestIs) {
  const Profile found = profile({0xEB, 0xFE});  // jmp $
  EXPECT_GT(count(found, Activity::kGuest), 0u);
  EXPECT_EQ(count(found, Activity::kGuest), found.samples);
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].stack, std::vector<u64>{kCode});
  EXPECT_EQ(engine_->stop_profile().samples, 0u);
}

TEST_F(KvmSampler, AHaltedProcessorIsNoGuestCode) {
  const Profile found = profile({0xF4, 0xEB, 0xFD});  // again: hlt; jmp again
  EXPECT_GT(count(found, Activity::kHalted), 0u);
  EXPECT_GT(count(found, Activity::kHalted), count(found, Activity::kGuest));
}

TEST_F(KvmSampler, DevicesAreSeen) {
  struct Slow final : guest::BusDevice {
    u64 read(u64, unsigned) override { return 0; }
    void write(u64, unsigned, u64) override { std::this_thread::sleep_for(5ms); }
  } slow;
  ASSERT_TRUE(ports_.add(0x80, 1, &slow).ok());
  const Profile found = profile({0xE6, 0x80, 0xEB, 0xFC});  // again: out 0x80, al; jmp again
  EXPECT_GT(count(found, Activity::kDevice), count(found, Activity::kGuest));
}

}  // namespace
}  // namespace pileus::engine
