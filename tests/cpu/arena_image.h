// ArenaImage: what memory holds when a case of the fuzzer starts; the same for all cases, but for their code.
#pragma once

#include <vector>

#include "user_state.h"

namespace pileus::cpu_test {

inline constexpr u64 kPageBytes = 4096;

// INT3 where the code is, so that wild jumps end; data of all kinds elsewhere.
std::vector<u8> make_arena_image();

// The first address in [address, address + 4096), a page of the arena, where `one` and `other` differ; 0 if nowhere.
// Left out are the instruction and operand pointers in the x87 images.
u64 page_difference(u64 address, const u8* one, const u8* other);

}  // namespace pileus::cpu_test
