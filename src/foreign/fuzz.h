// Fuzz targets: see tests/fuzz.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::foreign {

// What qemu-img says of a disk; and, as if it were one, the two ends of a disk's file.
void fuzz_report(std::span<const u8> input);

}  // namespace pileus::foreign
