// NativeCells: one guest instruction as a little host routine, for the interpreter (execute_native in interp.h).
//
// Each vCPU has its own few slots, in the executable mapping of the code cache; a slot is written anew when another
// instruction hashes to it.
#pragma once

#include <array>

#include "base/ints.h"

namespace pileus::engine::bt {

struct Context;
struct Insn;

class NativeCells {
 public:
  static constexpr u64 kSlots = 64;
  static constexpr u64 kSlotBytes = 128;
  static constexpr u64 kBytes = kSlots * kSlotBytes;

  // `room` has kBytes of executable memory.
  explicit NativeCells(u8* room) : room_(room) {}

  // Host code for `insn`, or nullptr when the instruction has no host form.
  const u8* find(Context& context, const Insn& insn);

 private:
  using Key = std::array<u8, 16>;
  u8* room_;
  std::array<Key, kSlots> key_{};
};

}  // namespace pileus::engine::bt
