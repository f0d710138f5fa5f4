#include "engine/bt/direct/stub.h"

#include <cstddef>

// The numbers are checked below.
asm(R"(
  .set REGION, 0x1F0000000000
  .set CONTROL, REGION + 0x1000
  .set SCRATCH, REGION + 0x4000
  .set REGION_END, REGION + 0x15000
  .set USER_END, 0x7FFFFFFFF000
  .set ONE, 0
  .set TWO, 8
  .set ALL_SIGNALS, 16
  .set FS_BASE, 24
  .set EXECUTOR, 40
  .set MAPPER, 56
  .set REQUEST_COUNT, 72
  .set REQUEST, 80
  .set SCRATCH_FS, 8
  .set SCRATCH_GS, 16
  .set SCRATCH_TOKEN, 24
  .set SCRATCH_MAPPER, 32
  .set SCRATCH_SIGNAL, 40
  .set CLONE_FLAGS, 0x50F00          # VM FS FILES SIGHAND THREAD SYSVSEM
  .pushsection .rodata.pileus_direct, "a"
  .balign 64
pileus_direct_stub:
  .intel_syntax noprefix
pileus_direct_start:                 # what was copied from the VMM goes
  mov eax, 11                        # munmap
  xor edi, edi
  movabs rsi, offset REGION
  syscall
  test rax, rax
  jnz 9f
  mov eax, 11
  movabs rdi, offset REGION_END
  movabs rsi, offset USER_END - REGION_END
  syscall
  test rax, rax
  jnz 9f
  mov eax, 56                        # clone
  mov edi, offset CLONE_FLAGS
  xor esi, esi
  xor edx, edx
  xor r10d, r10d
  xor r8d, r8d
  syscall
  test rax, rax
  js 9f
  jz 1f
  mov eax, 317                       # seccomp(SET_MODE_FILTER, SPEC_ALLOW, program)
  mov edi, 1
  mov esi, 4
  movabs rdx, offset CONTROL + EXECUTOR
  syscall
  test rax, rax
  jnz 9f
  ud2                                # the first signal
9:
  mov eax, 231                       # exit_group
  mov edi, 1
  syscall

1:                                   # the mapper
  mov eax, 14                        # rt_sigprocmask(SIG_SETMASK, all)
  mov edi, 2
  movabs rsi, offset CONTROL + ALL_SIGNALS
  xor edx, edx
  mov r10d, 8
  syscall
  mov eax, 317
  mov edi, 1
  mov esi, 4
  movabs rdx, offset CONTROL + MAPPER
  syscall
  test rax, rax
  jnz 9b
2:
  xor eax, eax                       # read
  mov edi, 6
  movabs rsi, offset SCRATCH + SCRATCH_MAPPER
  mov edx, 8
  syscall
  cmp rax, 8
  jne 2b
  movabs rax, offset CONTROL + REQUEST_COUNT
  mov r12, [rax]
  movabs rbx, offset CONTROL + REQUEST
  movabs r13, offset CONTROL + ONE
3:
  test r12, r12
  jz 7f
  mov rdi, [rbx]
  mov rsi, [rbx + 8]
  mov rdx, [rbx + 16]
  mov r9, [rbx + 24]
  test rdx, rdx
  jz 4f
  mov eax, 9                         # mmap, MAP_SHARED | MAP_FIXED
  mov r10d, 0x11
  mov r8d, 3
  syscall
  cmp rax, rdi
  jne 5f
  jmp 6f
4:
  mov eax, 11
  syscall
  test rax, rax
  jz 6f
5:
  movabs r13, offset CONTROL + TWO
6:
  add rbx, 32
  dec r12
  jmp 3b
7:
  mov eax, 1                         # write
  mov edi, 7
  mov rsi, r13
  mov edx, 8
  syscall
  jmp 2b

pileus_direct_handler:
  movabs r8, offset SCRATCH
  mov [r8], rdx
  mov [r8 + SCRATCH_SIGNAL], rdi
  rdfsbase rax
  mov [r8 + SCRATCH_FS], rax
  rdgsbase rax
  mov [r8 + SCRATCH_GS], rax
  mov eax, 1                         # write: stopped
  mov edi, 4
  movabs rsi, offset CONTROL + ONE
  mov edx, 8
  syscall
pileus_direct_after_exit:
1:
  xor eax, eax                       # read: may go on
  mov edi, 5
  movabs rsi, offset SCRATCH + SCRATCH_TOKEN
  mov edx, 8
  syscall
pileus_direct_after_go:
  cmp rax, 8
  jne 1b
  movabs r8, offset CONTROL
  mov rax, [r8 + FS_BASE]
  wrfsbase rax
  mov rax, [r8 + FS_BASE + 8]
  wrgsbase rax
  add rsp, 8                         # the return address
  mov eax, 15                        # rt_sigreturn
  syscall
pileus_direct_after_return:
  ud2
pileus_direct_end:
  .att_syntax
  .popsection
)");

extern "C" {
extern const unsigned char pileus_direct_stub[], pileus_direct_start[], pileus_direct_handler[],
    pileus_direct_after_exit[], pileus_direct_after_go[], pileus_direct_after_return[], pileus_direct_end[];
}

namespace pileus::engine::bt::direct {

static_assert(kRegion == 0x1F0000000000 && kControlOffset == 0x1000 && kScratchOffset == 0x4000);
static_assert(kRegionBytes == 0x15000 && kUserEnd == 0x7FFFFFFFF000);
static_assert(kFdMemory == 3 && kFdExit == 4 && kFdGo == 5 && kFdRequest == 6 && kFdMapped == 7);
static_assert(offsetof(Control, one) == 0 && offsetof(Control, two) == 8 && offsetof(Control, all_signals) == 16);
static_assert(offsetof(Control, fs_base) == 24 && offsetof(Control, gs_base) == 32);
static_assert(offsetof(Control, executor) == 40 && offsetof(Control, mapper) == 56);
static_assert(offsetof(Control, request_count) == 72 && offsetof(Control, request) == 80 && sizeof(MapRequest) == 32);
static_assert(offsetof(Scratch, frame) == 0 && offsetof(Scratch, fs_base) == 8 && offsetof(Scratch, gs_base) == 16);
static_assert(offsetof(Scratch, token) == 24 && offsetof(Scratch, mapper_token) == 32);
static_assert(offsetof(Scratch, signal) == 40);

const Stub& stub() {
  const auto place = [](const unsigned char* at) { return kRegion + static_cast<u64>(at - pileus_direct_stub); };
  static const Stub made{pileus_direct_stub,
                         static_cast<u64>(pileus_direct_end - pileus_direct_stub),
                         place(pileus_direct_start),
                         place(pileus_direct_handler),
                         place(pileus_direct_after_exit),
                         place(pileus_direct_after_go),
                         place(pileus_direct_after_return)};
  return made;
}

}  // namespace pileus::engine::bt::direct
