// What the translator is known to do otherwise than the processor, so that the fuzzer finds what is not known.
#pragma once

#include "fuzz_case.h"

namespace pileus::cpu_test {

// `bare` is a #GP of a branch to an address that is not canonical: the translator raises it at that address, the
// processor at the branch.
bool branched_nowhere(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare);

// Both are a fault of the same store of an MMX register. Some processors have set the x87 stack's top to 0 by then.
bool is_faulting_mmx_store(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare);

// Both are a fault of the same VCVTPS2PH to memory, the flags of which some processors have in MXCSR by then.
bool is_faulting_half_store(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare);

// A fault of a 10-byte store on two pages, of which some processors have written the first part.
bool is_torn_x87_store(const std::vector<Step>& steps, const Outcome& bare);

// Both are the #DB of the same INT1. It is a trap (SDM vol. 3A, 6.15: the saved RIP lies behind it), and so the engines
// have it; where a hypervisor handed the exception on to the bare processor of this test, RIP may be at it.
bool is_int1_seen_as_fault(const std::vector<u8>& code, u64 code_address, const Outcome& is, const Outcome& bare);

}  // namespace pileus::cpu_test
