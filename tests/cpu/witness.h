// Witness: what tests make the interpreter do, seen from one instruction to the next: instructions, exceptions, modes, changes of
// privilege.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "instruction_tables.h"
#include "runner.h"

namespace pileus::cpu_test {

class Witness {
 public:
  Witness();
  // Looks on in the next runs of `machine`, which this has to outlive; ends a run after so many instructions.
  void watch(Machine& machine);

  Mnemonics instructions;
  std::set<unsigned> vectors;  // of exceptions and NMI whose handler was entered
  std::set<std::string> modes;  // "64-bit, 4-level paging", "xAPIC", ...
  std::set<std::string> transitions;  // "iretq 0 to 3": what changed CPL; an event is "event"

 private:
  void look(const guest::GuestMemory& memory, const engine::CpuState& state);
  const ZydisDecoder& decoder_for(const engine::CpuState& state) const;
  void note_mode(const engine::CpuState& state);
  bool note_handler(const guest::GuestMemory& memory, const engine::CpuState& state);

  std::array<ZydisDecoder, 3> decoders_;  // 16, 32, 64 bits
  // Of the instruction before.
  std::optional<ZydisMnemonic> last_;
  unsigned last_cpl_ = 0;
};

}  // namespace pileus::cpu_test
