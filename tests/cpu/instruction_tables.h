// The instructions that the engines are known to have: the interpreter's table and what the fuzzer's makes.
#pragma once

#include <Zydis/Zydis.h>

#include <set>

namespace pileus::cpu_test {

using Mnemonics = std::set<ZydisMnemonic>;

// Those of engine/bt/interp_table.inc.
Mnemonics interpreted_mnemonics();
// What the rows of opcode_table.h come to.
Mnemonics fuzzed_mnemonics();

}  // namespace pileus::cpu_test
