// The parser of hosts' messages, for a fuzzer: any bytes, it must return, and what it accepts must read back the same.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::control {

void fuzz_host_message(std::span<const u8> input);

}  // namespace pileus::control
