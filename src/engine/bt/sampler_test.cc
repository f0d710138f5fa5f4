#include "engine/bt/sampler.h"

#include <chrono>
#include <map>

#include "engine/bt/signals.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

using namespace std::chrono_literals;
constexpr u64 kCode = 0x30000, kLeaf = 0x30100, kStack = 0x50000;

// 30000: call 30100; 30005: jmp 30000      30100: mov ecx, 2000; 30105: dec ecx; 30107: jnz 30105; 30109: ret
constexpr std::array<u8, 7> kCaller{0xE8, 0xFB, 0, 0, 0, 0xEB, 0xF9};
constexpr std::array<u8, 10> kCallee{0xB9, 0xD0, 0x07, 0, 0, 0xFF, 0xC9, 0x75, 0xFC, 0xC3};

class SamplerTest : public TestMachine {
 protected:
  void SetUp() override {
    ASSERT_TRUE(install_signal_handlers().ok());
    TestMachine::SetUp();
  }
  // Profiles the vCPU until there is enough to judge by: a busy machine leaves it little time.
  Profile profile() {
    constexpr u64 kEnough = 100;
    for (auto time = 300ms;; time *= 2) {
      Profile found = profile_for(time);
      if (found.samples > kEnough || time > 10s) return found;
    }
  }

 private:
  Profile profile_for(std::chrono::milliseconds time) {
    Sampler sampler(*vm);
    EXPECT_TRUE(sampler.start(200'000).ok());
    EXPECT_FALSE(sampler.start(200'000).ok());
    std::thread stopper([this, time] {
      std::this_thread::sleep_for(time);
      vcpus[0]->kick();
    });
    EXPECT_EQ(vcpus[0]->run().reason, ExitReason::kKicked);
    stopper.join();
    return sampler.stop();
  }
};

TEST_F(SamplerTest, FindsTheFunctionAndItsCaller) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP()
      << "the sanitizer keeps signals back until the next call of a function that it knows: none in guest code";
#endif
  enter_long_mode();
  identity_map();
  ASSERT_TRUE(memory->write(kCode, kCaller));
  ASSERT_TRUE(memory->write(kLeaf, kCallee));
  cpu().rip = kCode;
  cpu().gpr[kRsp] = kStack;
  const Profile profile = this->profile();
  u64 in_leaf = 0, with_caller = 0;
  for (const ProfileEntry& entry : profile.entries) {
    EXPECT_FALSE(entry.user);
    if (entry.activity != Activity::kGuest || entry.stack.empty()) continue;
    if (entry.stack[0] < kLeaf || entry.stack[0] > kLeaf + 9) continue;
    in_leaf += entry.count;
    if (entry.stack.size() == 2 && entry.stack[1] == kCode + 4) with_caller += entry.count;
  }
  EXPECT_GT(profile.samples, 100);
  EXPECT_GT(in_leaf, profile.samples * 8 / 10);
  EXPECT_GT(with_caller, in_leaf * 9 / 10);
}

TEST_F(SamplerTest, TellsThatAProcessorIsHalted) {
  enter_long_mode();
  identity_map();
  ASSERT_TRUE(memory->write(kCode, std::array<u8, 1>{0xF4}));
  cpu().rip = kCode;
  const Profile profile = this->profile();
  u64 halted = 0;
  for (const ProfileEntry& entry : profile.entries) {
    if (entry.activity == Activity::kHalted) halted += entry.count;
  }
  EXPECT_GT(halted, profile.samples * 8 / 10);
}

TEST_F(SamplerTest, NothingWithoutAStart) {
  Sampler sampler(*vm);
  EXPECT_EQ(sampler.stop().samples, 0);
  EXPECT_EQ(cpu().samples.load(), nullptr);
}

}  // namespace
}  // namespace pileus::engine::bt
