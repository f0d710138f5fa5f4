// The parsers of foreign bytes in this module, for a fuzzer: each takes any bytes, must return, and
// must not crash, read outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::engine {

void fuzz_translation_file(std::span<const u8> input);   // checksum and fingerprint of its header are put right
void fuzz_translation_entry(std::span<const u8> input);  // whatever its checksum; placed, and not run

}  // namespace pileus::engine
