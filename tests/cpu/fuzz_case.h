// FuzzCase: what one case of the differential fuzzer executes, as units that can be left out one by one to make a
// failing case smaller.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "user_state.h"

namespace pileus::cpu_test {

// A field of a unit's code that depends on where things lie: 1 or 4 bytes at `offset`, relative to `end` (both from the
// start of the unit).
struct Fixup {
  unsigned offset = 0;
  unsigned bytes = 4;
  unsigned end = 0;
  bool to_unit = false;  // the target is units[target], or the end of the code; else it is the address `target`
  u64 target = 0;
};

// One or a few instructions that belong together, such as a loop.
struct Unit {
  std::vector<u8> bytes;
  std::vector<Fixup> fixups;
};

struct FuzzCase {
  UserState state;  // RIP is where the code goes
  std::vector<Unit> units;
  bool may_fault = true;  // else units that raise an exception are to be left out
};

// The code, with the end of every program behind it. Nothing when a branch does not reach.
std::optional<std::vector<u8>> assemble(const FuzzCase& test);
// Without a unit; branches to it go to the next.
FuzzCase without(const FuzzCase& test, std::size_t unit);
// The unit that has the byte at `address`.
std::optional<std::size_t> unit_at(const FuzzCase& test, u64 address);

struct Step {
  u64 address = 0;
  ZydisDecodedInstruction info;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operand;
};

bool decode_step(const u8* bytes, std::size_t length, u64 address, Step* out);
std::vector<Step> decode_steps(const std::vector<u8>& code, u64 address);
std::string step_text(const Step& step);

// Arithmetic flags that may be undefined before each step. Nothing when a step may read one of them.
std::optional<std::vector<u64>> undefined_flags(const std::vector<Step>& steps);

// Arithmetic flags that this step and those that follow it write before any of them reads them.
u64 dead_flags(const std::vector<Step>& steps, std::size_t at);

}  // namespace pileus::cpu_test
