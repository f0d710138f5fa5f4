// The parsers of foreign bytes in this module, for a fuzzer: each takes any bytes, must return, and must not crash, read
// outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::state {

void fuzz_etcd_answer(std::span<const u8> input);  // the first byte chooses the kind of answer, the rest is its JSON

}  // namespace pileus::state
