// The parsers of guests' bytes in this module, for a fuzzer: each takes any bytes, must return, and must not crash, read
// outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::packet {

void fuzz_dhcp(std::span<const u8> input);
void fuzz_dns(std::span<const u8> input);
// An Offload and the frame behind it.
void fuzz_segments(std::span<const u8> input);

}  // namespace pileus::packet
