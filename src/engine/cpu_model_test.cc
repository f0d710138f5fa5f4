#include "engine/cpu_model.h"

#include <gtest/gtest.h>

#include "engine/cpuid.h"

namespace pileus::engine {
namespace {

using enum FeatureWord;

CpuFeatures everything() { return ~CpuFeatures{}; }

CpuIdentity machine(std::string_view model) {
  return {resolve_model(model, everything()).value(), 2, 2'000'000, true, 0, "test"};
}

TEST(CpuModel, LevelsAreThoseOfThePsabi) {
  EXPECT_EQ(psabi_level(resolve_model("v2", everything()).value()), "x86-64-v2");
  EXPECT_EQ(psabi_level(resolve_model("v3", everything()).value()), "x86-64-v3");
  EXPECT_EQ(psabi_level(CpuFeatures{}), "x86-64-v1");
}

TEST(CpuModel, FixedModelsNameWhatIsMissing) {
  CpuFeatures supported = everything();
  supported[k7Ebx] &= ~(1U << 5);
  EXPECT_TRUE(resolve_model("v2", supported));
  const auto refused = resolve_model("v3", supported);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("avx2"), std::string::npos) << refused.error().message();
  EXPECT_TRUE(resolve_model("host", supported));
}

TEST(CpuModel, FixedModelsAreTheSameOnEveryHostThatHasThem) {
  CpuFeatures older = model_features("v3").value() | platform_features();
  EXPECT_EQ(resolve_model("v3", older).value(), resolve_model("v3", everything()).value());
  EXPECT_EQ(resolve_model("v2", older).value(), resolve_model("v2", everything()).value());
}

// Whatever can be moved to: a guest of the one finds all that it has on a host that offers the other.
TEST(CpuModel, LaterProcessorsOfAMakerOfferWhatEarlierOnesDo) {
  const auto covers = [](std::string_view later, std::string_view earlier) {
    const CpuFeatures wanted = model_features(earlier).value();
    return (model_features(later).value() & wanted) == wanted && !(model_features(later).value() == wanted);
  };
  EXPECT_TRUE(covers("haswell", "v3") && covers("broadwell", "haswell") && covers("skylake", "broadwell"));
  EXPECT_TRUE(covers("icelake", "skylake") && covers("zen", "v3") && covers("zen3", "zen"));
  EXPECT_FALSE(covers("zen", "haswell") || covers("skylake", "zen"));
  EXPECT_EQ(model_features("icelake").value(), model_features("zen3").value());  // of what there is here
  for (const CpuModel& model : cpu_models()) {
    const bool has_level3 = model.name != "v2";
    EXPECT_EQ(psabi_level(resolve_model(model.name, everything()).value()), has_level3 ? "x86-64-v3" : "x86-64-v2");
  }
}

TEST(CpuModel, NamesOfProductsAreRefusedWhereTheyLackSomething) {
  const CpuFeatures old = model_features("haswell").value() | platform_features();
  EXPECT_TRUE(resolve_model("haswell", old));
  EXPECT_NE(resolve_model("zen", old).error().message().find("rdseed"), std::string::npos);
}

TEST(CpuModel, UnknownNameListsTheKnown) {
  const auto refused = resolve_model("pentium", everything());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("v2, v3, haswell,"), std::string::npos) << refused.error().message();
}

TEST(CpuModel, WithoutXsaveNothingThatNeedsIt) {
  CpuFeatures supported = everything();
  supported[k1Ecx] &= ~(1U << 26);
  const CpuFeatures features = resolve_model("host", supported).value();
  EXPECT_FALSE(features.has(k1Ecx, 28));
  EXPECT_FALSE(features.has(k7Ebx, 5));
  EXPECT_EQ(features[kD1Eax], 0U);
  EXPECT_EQ(allowed_xcr0(features), 1U);
}

TEST(Cpuid, ExtendedStateFollowsXcr0) {
  const CpuIdentity cpu = machine("v3");
  EXPECT_EQ(allowed_xcr0(cpu.features), 7U);
  CpuidState state;
  state.xcr0 = 3;
  EXPECT_EQ(cpuid(cpu, state, 0xD, 0).ebx, 576U);
  state.xcr0 = 7;
  EXPECT_EQ(cpuid(cpu, state, 0xD, 0).ebx, 832U);
  EXPECT_EQ(cpuid(cpu, state, 0xD, 0).ecx, 832U);
  EXPECT_EQ(cpuid(cpu, state, 0xD, 2).eax, 256U);
  EXPECT_EQ(cpuid(cpu, state, 0xD, 2).ebx, 576U);
  EXPECT_EQ(cpuid(machine("v2"), state, 0xD, 0).ebx, 0U);
}

TEST(Cpuid, StateBitsShowWhereTheyShould) {
  const CpuIdentity cpu = machine("v3");
  CpuidState state;
  EXPECT_EQ(cpuid(cpu, state, 1, 0).ecx >> 27 & 1, 0U);
  state.osxsave = true;
  EXPECT_EQ(cpuid(cpu, state, 1, 0).ecx >> 27 & 1, 1U);
  EXPECT_EQ(cpuid(machine("v2"), state, 1, 0).ecx >> 27 & 1, 0U);
  EXPECT_EQ(cpuid(cpu, state, 0x80000001, 0).edx >> 11 & 1, 1U);
  state.code64 = false;
  EXPECT_EQ(cpuid(cpu, state, 0x80000001, 0).edx >> 11 & 1, 0U);
  state.apic_id = 5;
  EXPECT_EQ(cpuid(cpu, state, 1, 0).ebx >> 24, 5U);
  EXPECT_EQ(cpuid(cpu, state, 0xB, 0).edx, 5U);
}

TEST(Cpuid, LeavesAboveTheLastAreTheLast) {
  const CpuIdentity cpu = machine("v2");
  EXPECT_EQ(cpuid(cpu, {}, 0x1F, 0).eax, cpuid(cpu, {}, 0x16, 0).eax);
}

}  // namespace
}  // namespace pileus::engine
