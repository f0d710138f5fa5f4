#include "engine/bt/stored/guarded_copy.h"

// Returns how many bytes are left. The one instruction that may fault is between the two labels, and RCX counts down while
// it runs.
asm(R"(
  .pushsection .text
  .globl pileus_guarded_copy, pileus_guarded_copy_move, pileus_guarded_copy_end
  .hidden pileus_guarded_copy, pileus_guarded_copy_move, pileus_guarded_copy_end
  .type pileus_guarded_copy, @function
pileus_guarded_copy:
  mov %rdx, %rcx
pileus_guarded_copy_move:
  rep movsb
pileus_guarded_copy_end:
  mov %rcx, %rax
  ret
  .size pileus_guarded_copy, . - pileus_guarded_copy
  .popsection
)");

extern "C" {
pileus::u64 pileus_guarded_copy(pileus::u8* to, const pileus::u8* from, pileus::u64 size);
extern const pileus::u8 pileus_guarded_copy_move[];
extern const pileus::u8 pileus_guarded_copy_end[];
}

namespace pileus::engine::bt::stored {

bool guarded_copy(u8* to, const u8* from, u64 size) { return pileus_guarded_copy(to, from, size) == 0; }

bool recover_copy(greg_t* registers) {
  if (registers[REG_RIP] != reinterpret_cast<greg_t>(pileus_guarded_copy_move)) return false;
  registers[REG_RIP] = reinterpret_cast<greg_t>(pileus_guarded_copy_end);
  return true;
}

}  // namespace pileus::engine::bt::stored
