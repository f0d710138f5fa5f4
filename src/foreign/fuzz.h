// Fuzz targets: see tests/fuzz.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::foreign {

// A disk of any format; the first byte chooses it, or that it is to be guessed.
void fuzz_disk(std::span<const u8> input);

}  // namespace pileus::foreign
