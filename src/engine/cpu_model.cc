#include "engine/cpu_model.h"

#include <cpuid.h>
#include <fmt/core.h>

namespace pileus::engine {

namespace {

using enum FeatureWord;

// x86-64 psABI, "Micro-Architecture Levels"; names as in Linux's cpufeatures.h.
constexpr FeatureName kLevel1[] = {
    {k1Edx, 0, "fpu"},        {k1Edx, 2, "de"},
    {k1Edx, 3, "pse"},        {k1Edx, 4, "tsc"},
    {k1Edx, 5, "msr"},        {k1Edx, 6, "pae"},
    {k1Edx, 7, "mce"},        {k1Edx, 8, "cx8"},
    {k1Edx, 9, "apic"},       {k1Edx, 11, "sep"},
    {k1Edx, 12, "mtrr"},      {k1Edx, 13, "pge"},
    {k1Edx, 14, "mca"},       {k1Edx, 15, "cmov"},
    {k1Edx, 16, "pat"},       {k1Edx, 17, "pse36"},
    {k1Edx, 19, "clflush"},   {k1Edx, 23, "mmx"},
    {k1Edx, 24, "fxsr"},      {k1Edx, 25, "sse"},
    {k1Edx, 26, "sse2"},      {k80000001Edx, 11, "syscall"},
    {k80000001Edx, 20, "nx"}, {k80000001Edx, 29, "lm"},
};
constexpr FeatureName kLevel2[] = {
    {k1Ecx, 0, "sse3"},    {k1Ecx, 9, "ssse3"},   {k1Ecx, 13, "cx16"},          {k1Ecx, 19, "sse4_1"},
    {k1Ecx, 20, "sse4_2"}, {k1Ecx, 23, "popcnt"}, {k80000001Ecx, 0, "lahf_lm"},
};
constexpr FeatureName kLevel3[] = {
    {k1Ecx, 12, "fma"}, {k1Ecx, 22, "movbe"}, {k1Ecx, 26, "xsave"}, {k1Ecx, 28, "avx"},         {k1Ecx, 29, "f16c"},
    {k7Ebx, 3, "bmi1"}, {k7Ebx, 5, "avx2"},   {k7Ebx, 8, "bmi2"},   {k80000001Ecx, 5, "lzcnt"},
};
// Not of the level, but every processor that has it has these, and programs gain much.
constexpr FeatureName kWithLevel3[] = {
    {k1Ecx, 1, "pclmulqdq"},
    {k1Ecx, 25, "aes"},
    {k1Ecx, 30, "rdrand"},
    {kD1Eax, 0, "xsaveopt"},
};
// What came behind the level, in different order from different makers.
constexpr FeatureName kProcessContexts[] = {{k1Ecx, 17, "pcid"}, {k7Ebx, 10, "invpcid"}};
constexpr FeatureName kSeedAndLongAdd[] = {{k7Ebx, 18, "rdseed"}, {k7Ebx, 19, "adx"}};
constexpr FeatureName kCompactedState[] = {{kD1Eax, 1, "xsavec"}, {kD1Eax, 2, "xgetbv1"}};
constexpr FeatureName kHashing[] = {{k7Ebx, 29, "sha_ni"}};
constexpr FeatureName kPlatform[] = {
    {k1Ecx, 21, "x2apic"},
    {k1Ecx, 24, "tsc_deadline_timer"},
    {k1Ecx, 31, "hypervisor"},
    {k7Ebx, 0, "fsgsbase"},
    {k7Ebx, 7, "smep"},
    {k7Ebx, 9, "erms"},
    {k7Ebx, 20, "smap"},
    {k7Edx, 4, "fsrm"},
    {k7Edx, 26, "spec_ctrl"},
    {k7Edx, 27, "stibp"},
    {k7Edx, 29, "arch_capabilities"},
    {k7Edx, 31, "ssbd"},
    {k80000001Edx, 26, "pdpe1gb"},
    {k80000001Edx, 27, "rdtscp"},
};

template <unsigned n>
CpuFeatures set_of(const FeatureName (&names)[n]) {
  CpuFeatures out;
  for (const FeatureName& feature : names) out[feature.word] |= 1U << feature.bit;
  return out;
}

template <typename Visit>
void for_each_name(Visit&& visit) {
  for (const FeatureName& feature : kLevel1) visit(feature);
  for (const FeatureName& feature : kLevel2) visit(feature);
  for (const FeatureName& feature : kLevel3) visit(feature);
  for (const FeatureName& feature : kWithLevel3) visit(feature);
  for (const FeatureName& feature : kProcessContexts) visit(feature);
  for (const FeatureName& feature : kSeedAndLongAdd) visit(feature);
  for (const FeatureName& feature : kCompactedState) visit(feature);
  for (const FeatureName& feature : kHashing) visit(feature);
  for (const FeatureName& feature : kPlatform) visit(feature);
}

CpuFeatures v2() { return set_of(kLevel1) | set_of(kLevel2); }
CpuFeatures v3() { return v2() | set_of(kLevel3) | set_of(kWithLevel3); }
CpuFeatures haswell() { return v3() | set_of(kProcessContexts); }
CpuFeatures broadwell() { return haswell() | set_of(kSeedAndLongAdd); }
CpuFeatures skylake() { return broadwell() | set_of(kCompactedState); }
CpuFeatures icelake() { return skylake() | set_of(kHashing); }
CpuFeatures zen() { return v3() | set_of(kSeedAndLongAdd) | set_of(kCompactedState) | set_of(kHashing); }
CpuFeatures zen3() { return zen() | set_of(kProcessContexts); }
CpuFeatures all_known() { return icelake() | zen3(); }

struct KnownModel {
  CpuModel model;
  CpuFeatures (*features)();
};

constexpr KnownModel kModels[] = {
    {{"v2", "x86-64-v2: SSE4.2 and POPCNT, any x86-64 host since 2009"}, v2},
    {{"v3", "x86-64-v3 with AES, PCLMULQDQ and RDRAND: AVX2, FMA and BMI2, hosts since 2013"}, v3},
    {{"haswell", "v3 with PCID and INVPCID: Intel since 2013"}, haswell},
    {{"broadwell", "haswell with RDSEED and ADX: Intel since 2014"}, broadwell},
    {{"skylake", "broadwell with XSAVEC and XGETBV with ECX=1: Intel since 2015"}, skylake},
    {{"icelake", "skylake with SHA: Intel since 2019"}, icelake},
    {{"zen", "v3 with RDSEED, ADX, XSAVEC, XGETBV with ECX=1 and SHA: AMD since 2017"}, zen},
    {{"zen3", "zen with PCID and INVPCID: AMD since 2020"}, zen3},
    {{kDefaultCpuModel, "everything that this host and the engine offer"}, all_known},
};
bool covers(const CpuFeatures& features, const CpuFeatures& wanted) { return (features & wanted) == wanted; }

// "xgetbv1" needs "xsave" and so on: what hangs on a state component that is not there goes with it.
CpuFeatures consistent(CpuFeatures features) {
  if (!features.has(k1Ecx, 26)) {  // no XSAVE: no VEX encodings, no extended state
    features[kD1Eax] = 0;
    features[k1Ecx] &= ~(1U << 12 | 1U << 28 | 1U << 29);
    features[k7Ebx] &= ~(1U << 3 | 1U << 5 | 1U << 8);
  }
  return features;
}

}  // namespace

CpuFeatures CpuFeatures::operator&(const CpuFeatures& other) const {
  CpuFeatures out;
  for (unsigned i = 0; i < kFeatureWords; ++i) out.word[i] = word[i] & other.word[i];
  return out;
}
CpuFeatures CpuFeatures::operator|(const CpuFeatures& other) const {
  CpuFeatures out;
  for (unsigned i = 0; i < kFeatureWords; ++i) out.word[i] = word[i] | other.word[i];
  return out;
}
CpuFeatures CpuFeatures::operator~() const {
  CpuFeatures out;
  for (unsigned i = 0; i < kFeatureWords; ++i) out.word[i] = ~word[i];
  return out;
}

const std::vector<CpuModel>& cpu_models() {
  static const std::vector<CpuModel> models = [] {
    std::vector<CpuModel> out;
    for (const KnownModel& known : kModels) out.push_back(known.model);
    return out;
  }();
  return models;
}

CpuFeatures host_features() {
  CpuFeatures out;
  u32 a = 0, b = 0, c = 0, d = 0;
  __get_cpuid_count(1, 0, &a, &b, &out[k1Ecx], &out[k1Edx]);
  __get_cpuid_count(7, 0, &a, &out[k7Ebx], &out[k7Ecx], &out[k7Edx]);
  __get_cpuid_count(0xD, 1, &out[kD1Eax], &b, &c, &d);
  __get_cpuid_count(0x80000001, 0, &a, &b, &out[k80000001Ecx], &out[k80000001Edx]);
  return out;
}

CpuFeatures platform_features() { return set_of(kPlatform); }

Result<CpuFeatures> model_features(std::string_view model) {
  std::string known;
  for (const KnownModel& one : kModels) {
    if (one.model.name == model) return one.features();
    known += (known.empty() ? "" : ", ") + std::string(one.model.name);
  }
  return Error(ErrorCode::kInvalid, fmt::format("CPU model '{}' is not known: choose one of {}", model, known));
}

Result<CpuFeatures> resolve_model(std::string_view model, const CpuFeatures& supported) {
  const CpuFeatures wanted = TRY(model_features(model));
  const CpuFeatures required = model == kDefaultCpuModel ? set_of(kLevel1) : wanted;
  const CpuFeatures missing = required & ~supported;
  if (missing != CpuFeatures{}) {
    return Error(ErrorCode::kInvalid, fmt::format("CPU model '{}' needs {}, which this host does not offer to guests: "
                                                  "choose another with --cpu",
                                                  model, feature_names(missing)));
  }
  return consistent(wanted & supported) | platform_features();
}

std::string_view psabi_level(const CpuFeatures& features) {
  if (covers(features, v2() | set_of(kLevel3))) return "x86-64-v3";
  return covers(features, v2()) ? "x86-64-v2" : "x86-64-v1";
}

std::string feature_names(const CpuFeatures& features) {
  std::string out;
  for_each_name([&](const FeatureName& feature) {
    if (!features.has(feature.word, feature.bit)) return;
    if (!out.empty()) out += ' ';
    out += feature.name;
  });
  return out;
}

}  // namespace pileus::engine
