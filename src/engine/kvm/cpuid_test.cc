#include "engine/kvm/cpuid.h"

#include <gtest/gtest.h>

namespace pileus::engine::kvm {
namespace {

using enum FeatureWord;
constexpr u32 kAuthenticAmd[] = {0x68747541, 0x69746E65, 0x444D4163};  // EBX, EDX, ECX

kvm_cpuid_entry2 subleaf(kvm_cpuid_entry2 entry, u32 index) {
  entry.index = index;
  entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
  return entry;
}

kvm_cpuid_entry2 entry(u32 leaf, u32 eax, u32 ebx, u32 ecx, u32 edx) {
  kvm_cpuid_entry2 out{};
  out.function = leaf;
  out.eax = eax, out.ebx = ebx, out.ecx = ecx, out.edx = edx;
  return out;
}

// An AMD host whose KVM offers all, and 44 bits of physical addresses.
std::vector<kvm_cpuid_entry2> amd_host() {
  return {subleaf(entry(0xD, ~0U, 0, 0, 0), 1),
          entry(0, 0x10, kAuthenticAmd[0], kAuthenticAmd[2], kAuthenticAmd[1]),
          entry(1, 0x00A00F11, 0, ~0U, ~0U),
          subleaf(entry(7, 0, ~0U, ~0U, ~0U), 0),
          entry(0x40000001, ~0U, 0, 0, 0),
          entry(0x80000000, 0x80000021, kAuthenticAmd[0], kAuthenticAmd[2], kAuthenticAmd[1]),
          entry(0x80000001, 0, 0, ~0U, ~0U),
          entry(0x80000008, 0x302C, ~0U, ~0U, ~0U),
          entry(0x80000021, 0x104, ~0U, ~0U, ~0U)};
}

std::vector<kvm_cpuid_entry2> made(const char* model, u64 cycle_ns = 100) {
  const CpuFeatures supported = supported_features(amd_host());
  const CpuFeatures features = resolve_model(model, supported).value() & supported;
  return make_cpuid(amd_host(), {features, 4, 2'000'000, true, paravirt_bits(amd_host()), "KVM"}, 3, cycle_ns);
}

const kvm_cpuid_entry2* leaf_of(const std::vector<kvm_cpuid_entry2>& entries, u32 leaf, u32 subleaf = 0) {
  for (const kvm_cpuid_entry2& one : entries) {
    if (one.function == leaf && one.index == subleaf) return &one;
  }
  return nullptr;
}

TEST(KvmCpuid, FeaturesAreTheModels) {
  const auto entries = made("v2");
  const CpuFeatures wanted = model_features("v2").value() | platform_features();
  EXPECT_EQ(leaf_of(entries, 1)->ecx, wanted[k1Ecx]);
  EXPECT_EQ(leaf_of(entries, 1)->edx, wanted[k1Edx] | 1U << 28);  // more than one processor
  EXPECT_EQ(leaf_of(entries, 7)->ebx, wanted[k7Ebx]);
  EXPECT_EQ(leaf_of(entries, 0x80000001)->ecx, wanted[k80000001Ecx]);
  EXPECT_EQ(leaf_of(entries, 0xD)->eax, 0U);
}

TEST(KvmCpuid, TheProcessorIsTheHosts) {
  const auto entries = made("host");
  EXPECT_EQ(leaf_of(entries, 0)->ebx, kAuthenticAmd[0]);
  EXPECT_EQ(leaf_of(entries, 1)->eax, 0x00A00F11U);
  EXPECT_EQ(leaf_of(entries, 0x80000008)->eax, 0x302CU);
  EXPECT_NE(leaf_of(entries, 0x80000008)->ebx & 1U << 12, 0U);  // IBPB
  EXPECT_EQ(leaf_of(entries, 0x80000008)->ebx & 1U << 0, 0U);   // CLZERO is no defence
  EXPECT_EQ(leaf_of(entries, 0x80000000)->eax, 0x80000021U);
  EXPECT_EQ(leaf_of(entries, 0x80000021)->eax, 0x104U);
}

TEST(KvmCpuid, DefencesAreTheHosts) {
  EXPECT_EQ(leaf_of(made("v3"), 7)->eax, 0U);
  auto intel = amd_host();
  intel.push_back(subleaf(entry(7, 0, 0, 0, 1U << 4 | 1U << 5), 2));
  const CpuFeatures supported = supported_features(intel);
  const auto entries = make_cpuid(intel, {supported, 4, 2'000'000, true, paravirt_bits(intel), "KVM"}, 3, 100);
  EXPECT_EQ(leaf_of(entries, 7)->eax, 2U);
  EXPECT_EQ(leaf_of(entries, 7, 2)->edx, 1U << 4);  // BHI_CTRL; the other bit is no defence
}

TEST(KvmCpuid, EachVcpuHasItsOwnId) {
  const auto entries = made("v3");
  EXPECT_EQ(leaf_of(entries, 1)->ebx >> 24, 3U);
  for (u32 subleaf = 0; subleaf < 3; ++subleaf) EXPECT_EQ(leaf_of(entries, 0xB, subleaf)->edx, 3U);
}

TEST(KvmCpuid, NoFrequencyOfATimerThatHasAnother) {
  const auto slow = made("v2"), fast = made("v2", 1);
  EXPECT_NE(leaf_of(slow, 0x15), nullptr);
  EXPECT_EQ(leaf_of(fast, 0x15), nullptr);
}

TEST(KvmCpuid, NoAsynchronousPageFaults) {
  const auto entries = made("v2");
  EXPECT_EQ(leaf_of(entries, 0x40000001)->eax & (1U << 4 | 1U << 10 | 1U << 14), 0U);
}

}  // namespace
}  // namespace pileus::engine::kvm
