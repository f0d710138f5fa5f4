// The parsers of this module, for a fuzzer: any bytes, they must return, and what they accept must read back the same.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::store {

void fuzz_manifest(std::span<const u8> input);
void fuzz_chain(std::span<const u8> input);

}  // namespace pileus::store
