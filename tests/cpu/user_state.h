// UserState: what an unprivileged program sees of a processor, and the memory it runs in, the same for a bare process
// and for a guest, so that what both do with the same instructions can be compared.
#pragma once

#include <array>
#include <cstddef>

#include "base/ints.h"

namespace pileus::cpu_test {

// The arena: three stretches of memory at fixed virtual addresses, low enough to be free in a process and below what
// AddressSanitizer takes. All else is unmapped, in the process and, at CPL 3, in the guest.
struct Stretch {
  u64 base;
  u64 size;
};
inline constexpr Stretch kCode{0x10000000, 64 * kKiB};
inline constexpr Stretch kData{0x10200000, 64 * kKiB};
inline constexpr Stretch kStack{0x10300000, 256 * kKiB};
inline constexpr std::array<Stretch, 3> kArena{kCode, kData, kStack};
inline constexpr u64 kArenaBytes = kCode.size + kData.size + kStack.size;

// Every program ends with OUT 0xF4, AL (bytes E6 F4): a guest is allowed to, a process gets #GP there.
inline constexpr u8 kExitPort = 0xF4;
inline constexpr std::array<u8, 2> kExitCode{0xE6, kExitPort};

inline constexpr u64 kArithmeticFlags = 0x8D5;  // CF PF AF ZF SF OF
inline constexpr u64 kDirectionFlag = 0x400;

struct UserState {
  std::array<u64, 16> gpr{};  // in engine::GprIndex order
  u64 rip = 0;
  u64 rflags = 0x202;
  alignas(16) std::array<u8, 512> fx{};  // FXSAVE format
  std::array<u8, 256> ymm{};             // upper halves of the 16 YMM registers; zero without AVX2
};

// Offsets in UserState::fx (Intel SDM vol. 1, table 10-2).
inline constexpr std::size_t kFxControl = 0, kFxStatus = 2, kFxTag = 4, kFxMxcsr = 24, kFxSt = 32, kFxXmm = 160;
// Of UserState::ymm in an XSAVE image of the standard format.
inline constexpr std::size_t kXsaveYmm = 576;

enum class Ending : u8 {
  kExit,       // reached OUT 0xF4, AL
  kException,  // raised `vector`
  kTimeout,    // still ran when its time was up
  kCrash,      // the process or the engine gave up: a bug of the harness or of the engine
};

// Bits of a page fault's error code: a write, an instruction fetch (Intel SDM vol. 3, 4.7). The others a process cannot
// know: the kernel may have filled the page in lazily.
inline constexpr u32 kPageFaultAccess = 2 | 16;

struct Outcome {
  Ending ending = Ending::kCrash;
  u8 vector = 0;
  u64 cr2 = 0;  // for #PF
  u32 page_fault = 0;  // for #PF: kPageFaultAccess bits of its error code
  UserState state;  // RIP is at the OUT or at the instruction that faulted
};

// Whether this processor, and so the guests on it, have the vector extensions of x86-64-v3.
bool has_avx2();

// What a Linux process and a freshly set-up guest start with.
UserState initial_state();

// The arena's bytes as one block, in the order of kArena. nullptr when [address, address + length) is not in one
// stretch.
u8* arena_at(u8* arena, u64 address, u64 length);

}  // namespace pileus::cpu_test
