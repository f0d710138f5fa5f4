// ExecutedSteps: which instructions of a fuzzer's case the processor executed, as far as its end tells.
#pragma once

#include <vector>

#include "fuzz_case.h"

namespace pileus::cpu_test {

// The steps from the first to the one at which `end` came, in the order of execution, each once however often a loop has
// it. Left out is what a conditional branch may have skipped, so that these are the fewest there can have been, unless a callee
// wrote over where it returns to. None when the end is where no step is.
std::vector<const Step*> executed_steps(const std::vector<Step>& steps, const Outcome& end);

}  // namespace pileus::cpu_test
