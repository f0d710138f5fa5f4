// The parsers of foreign bytes in this module, for a fuzzer: each takes any bytes, must return, and must not crash, read
// outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::vswitch {

void fuzz_switch_config(std::span<const u8> input);
// Frames from two guests, another host and the world outside, each behind a byte for whom and two for its length.
void fuzz_switch_frames(std::span<const u8> input);

}  // namespace pileus::vswitch
