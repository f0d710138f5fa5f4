#include "engine/bt/stored/guarded_copy.h"

// Returns whether all was read. Only what is between the first two labels may fault, and the third is where that leads. By
// words, since most copies are of some words: a string instruction takes longer to begin than those take.
asm(R"(
  .pushsection .text
  .globl pileus_guarded_copy, pileus_guarded_copy_end, pileus_guarded_copy_failed
  .hidden pileus_guarded_copy, pileus_guarded_copy_end, pileus_guarded_copy_failed
  .type pileus_guarded_copy, @function
pileus_guarded_copy:
  sub $32, %rdx
  jb 2f
1:
  movdqu (%rsi), %xmm0
  movdqu 16(%rsi), %xmm1
  movdqu %xmm0, (%rdi)
  movdqu %xmm1, 16(%rdi)
  add $32, %rsi
  add $32, %rdi
  sub $32, %rdx
  jae 1b
2:
  add $24, %rdx
  js 4f
3:
  mov (%rsi), %rax
  mov %rax, (%rdi)
  add $8, %rsi
  add $8, %rdi
  sub $8, %rdx
  jns 3b
4:
  add $8, %rdx
  jz 6f
5:
  movzbl (%rsi), %eax
  mov %al, (%rdi)
  inc %rsi
  inc %rdi
  dec %rdx
  jnz 5b
6:
  mov $1, %eax
  ret
pileus_guarded_copy_end:
pileus_guarded_copy_failed:
  xor %eax, %eax
  ret
  .size pileus_guarded_copy, . - pileus_guarded_copy
  .popsection
)");

extern "C" {
bool pileus_guarded_copy(pileus::u8* to, const pileus::u8* from, pileus::u64 size);
extern const pileus::u8 pileus_guarded_copy_end[];
extern const pileus::u8 pileus_guarded_copy_failed[];
}

namespace pileus::engine::bt::stored {

bool guarded_copy(u8* to, const u8* from, u64 size) { return pileus_guarded_copy(to, from, size); }

bool recover_copy(greg_t* registers) {
  const greg_t at = registers[REG_RIP];
  if (at < reinterpret_cast<greg_t>(&pileus_guarded_copy) || at >= reinterpret_cast<greg_t>(pileus_guarded_copy_end))
    return false;
  registers[REG_RIP] = reinterpret_cast<greg_t>(pileus_guarded_copy_failed);
  return true;
}

}  // namespace pileus::engine::bt::stored
