// Which instructions the fuzzer may make.
#pragma once

#include "fuzz_case.h"

namespace pileus::cpu_test {

// User-level ones without surprises: offered by the engines' CPUID, with a result that depends on registers and memory
// alone, and no control transfers or writes of flags beyond the arithmetic ones (the generator has units for those).
bool is_wanted(const Step& step);

// 0 to 15 for a general register of any width, else 16.
unsigned general_register(ZydisRegister reg);

}  // namespace pileus::cpu_test
