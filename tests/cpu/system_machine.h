// The machine that a system test starts in.
//
// The code is at 1 MiB, entered at CPL 0 in 64-bit mode with 16 MiB of RAM mapped one to one, the first 4 MiB in 4 KiB
// pages, for CPL 0 only. system/prelude.inc knows the layout.
#pragma once

#include "runner.h"
#include "test_files.h"

namespace pileus::cpu_test {

Result<std::unique_ptr<Machine>> make_system_machine(const TestFile& test, Way way);

}  // namespace pileus::cpu_test
