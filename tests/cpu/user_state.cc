#include "user_state.h"

#include <cstring>

namespace pileus::cpu_test {

bool has_avx2() { return __builtin_cpu_supports("avx2"); }

UserState initial_state() {
  UserState state;
  state.rip = kCode.base;
  state.gpr[4] = kStack.base + kStack.size - 256;
  const u16 control = 0x37F;
  const u32 mxcsr = 0x1F80;
  std::memcpy(state.fx.data() + kFxControl, &control, sizeof control);
  std::memcpy(state.fx.data() + kFxMxcsr, &mxcsr, sizeof mxcsr);
  return state;
}

u8* arena_at(u8* arena, u64 address, u64 length) {
  u64 offset = 0;
  for (const Stretch& stretch : kArena) {
    if (address >= stretch.base && address - stretch.base < stretch.size &&
        length <= stretch.size - (address - stretch.base)) {
      return arena + offset + (address - stretch.base);
    }
    offset += stretch.size;
  }
  return nullptr;
}

}  // namespace pileus::cpu_test
