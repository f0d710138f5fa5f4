// Values and states that make instructions do something worth comparing.
#pragma once

#include "random.h"
#include "user_state.h"

namespace pileus::cpu_test {

// Where the fuzzer keeps FXSAVE and FNSTENV images: what the processor writes there names addresses of code, which
// nobody else can know (see arena_image.cc). Not among the data, so that no other instruction comes across them.
inline constexpr u64 kFxImage = kCode.base + 0x8000;
inline constexpr u64 kEnvironment32 = kFxImage + 0x400;
inline constexpr u64 kEnvironment16 = kFxImage + 0x800;

u64 random_value(Random& random);
u64 random_small(Random& random);    // a count or an index
u64 random_pointer(Random& random);  // into the data, often near to its ends or to a page's
void random_x87(Random& random, u8* ten_bytes);
void random_xmm(Random& random, u8* sixteen_bytes);
u32 random_mxcsr(Random& random);

struct Registers {
  UserState state;
  u32 pointers = 0;  // bit i: register i is one into the data or the stack
  u32 smalls = 0;
};
Registers random_registers(Random& random);

}  // namespace pileus::cpu_test
