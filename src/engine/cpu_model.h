// CPU models: which features a guest's processor has.
//
// A model is a name that a fleet of hosts can agree on: the same name offers the same features everywhere, and is refused
// where the host or the engine cannot give them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::engine {

// The CPUID words that hold feature bits (Intel SDM vol. 2, CPUID).
enum class FeatureWord : u8 {
  k1Ecx,  // leaf 1
  k1Edx,
  k7Ebx,  // leaf 7, subleaf 0
  k7Ecx,
  k7Edx,
  k72Edx,  // leaf 7, subleaf 2
  kD1Eax,  // leaf 0xD, subleaf 1
  k80000001Ecx,
  k80000001Edx,
  kCount,
};
inline constexpr unsigned kFeatureWords = static_cast<unsigned>(FeatureWord::kCount);

struct CpuFeatures {
  std::array<u32, kFeatureWords> word{};

  u32& operator[](FeatureWord at) { return word[static_cast<unsigned>(at)]; }
  u32 operator[](FeatureWord at) const { return word[static_cast<unsigned>(at)]; }
  bool has(FeatureWord at, unsigned bit) const { return ((*this)[at] >> bit & 1) != 0; }
  bool operator==(const CpuFeatures&) const = default;

  CpuFeatures operator&(const CpuFeatures& other) const;
  CpuFeatures operator|(const CpuFeatures& other) const;
  CpuFeatures operator~() const;
};

// A named feature bit, for messages.
struct FeatureName {
  FeatureWord word;
  unsigned bit;
  std::string_view name;
};

struct CpuModel {
  std::string_view name;
  std::string_view description;
};

inline constexpr std::string_view kDefaultCpuModel = "host";
const std::vector<CpuModel>& cpu_models();

// What this processor's CPUID says.
CpuFeatures host_features();
// What every engine gives whatever the host: the machine, its local APIC, immunity to what would need mitigations.
CpuFeatures platform_features();
// The features that a model offers beyond the platform's. "host": all that Pileus knows.
Result<CpuFeatures> model_features(std::string_view model);

// The features of a guest's processor: those of `model` where `supported` (by the engine on this host) has them. An error
// names what a fixed model lacks.
Result<CpuFeatures> resolve_model(std::string_view model, const CpuFeatures& supported);

// "x86-64-v1" to "x86-64-v3": the highest level of the x86-64 psABI whose features are all there.
std::string_view psabi_level(const CpuFeatures& features);

// Space-separated names as in Linux's /proc/cpuinfo.
std::string feature_names(const CpuFeatures& features);

}  // namespace pileus::engine
