#include "vmm/engine_choice.h"

#include <gtest/gtest.h>

namespace pileus::vmm {
namespace {

using engine::KvmProbe;

const KvmProbe kFast{true, true, "a loop takes 1.0 times as long"};
const KvmProbe kSlow{true, false, "a loop takes 900.0 times as long"};
const KvmProbe kAbsent{false, false, "this host has no /dev/kvm: use --engine bt"};

Result<EngineDecision> decide(EngineChoice wanted, const KvmProbe& probe) {
  return decide_engine(wanted, [&] { return probe; });
}

TEST(EngineChoice, AutoTakesKvmWhereItIsFast) {
  EXPECT_EQ(decide(EngineChoice::kAuto, kFast)->engine, EngineChoice::kKvm);
  EXPECT_EQ(decide(EngineChoice::kAuto, kSlow)->engine, EngineChoice::kBt);
  EXPECT_EQ(decide(EngineChoice::kAuto, kAbsent)->engine, EngineChoice::kBt);
  for (const KvmProbe& probe : {kFast, kSlow, kAbsent}) {
    EXPECT_EQ(decide(EngineChoice::kAuto, probe)->reason, probe.reason);
    EXPECT_FALSE(decide(EngineChoice::kAuto, probe)->warn);
  }
}

TEST(EngineChoice, WhoAsksGetsIt) {
  EXPECT_EQ(decide(EngineChoice::kKvm, kFast)->engine, EngineChoice::kKvm);
  EXPECT_FALSE(decide(EngineChoice::kKvm, kFast)->warn);
  EXPECT_EQ(decide(EngineChoice::kKvm, kSlow)->engine, EngineChoice::kKvm);
  EXPECT_TRUE(decide(EngineChoice::kKvm, kSlow)->warn);
  const auto refused = decide(EngineChoice::kKvm, kAbsent);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), kAbsent.reason);
}

TEST(EngineChoice, BtAsksNobody) {
  bool asked = false;
  const auto decision = decide_engine(EngineChoice::kBt, [&] { return asked = true, kFast; });
  EXPECT_EQ(decision->engine, EngineChoice::kBt);
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace pileus::vmm
