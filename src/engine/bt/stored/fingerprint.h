// Fingerprint: everything besides the guest's bytes that decides about the code a block becomes.
#pragma once

#include <array>
#include <optional>

#include "base/ints.h"
#include "engine/cpu_model.h"

namespace pileus::engine::bt::stored {

struct Fingerprint {
  // Of this program: any change of the translator makes another one, and so does the smallest change of anything else.
  std::array<u8, 20> build_id;
  u32 stub_bytes;  // stubs are reached at fixed offsets
  u64 decoder;  // version of Zydis, which is a shared library
  CpuFeatures guest;
  CpuFeatures host;

  bool operator==(const Fingerprint&) const = default;
};
static_assert(sizeof(Fingerprint) == 32 + 8 * kFeatureWords);

// Nothing: the program was linked without a build id, so there is no telling it from another one.
std::optional<Fingerprint> fingerprint_of(const CpuFeatures& guest, const CpuFeatures& host, u32 stub_bytes);

}  // namespace pileus::engine::bt::stored
