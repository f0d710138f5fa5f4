// Groups of memory accesses that share one look at the TLB.
//
// Accesses of one block that go by the same base register, which nothing in between changes but by a known amount, mostly
// lie in one page: what a function saves and takes back, the fields of a structure. The first of a group looks whether the
// page of all of them is there; the others take the addend that it found. When the bytes of a group lie on two pages, or
// are not memory, its block is left for one of the same instructions without groups (BlockKey::alone).
//
// What the first one found has to stay true until the last: so C++ code that may have flushed a TLB never goes on in the
// middle of a group (Block::inside), and no instruction that usually takes the way through C++ is inside of one.
#pragma once

#include <array>

#include "engine/bt/trace.h"

namespace pileus::engine::bt {

// One access's part in a group.
struct Sharing {
  enum class Role : u8 { kAlone, kFirst, kMember };
  Role role = Role::kAlone;
  bool write = false;
  u8 slot = 0;  // index in Context::shared; not for the stack, whose addend is in Tlb::stack
  u8 base = 0;  // guest register
  u8 size = 0;  // bytes of the whole group
  i32 low = 0;  // where they begin, from what the base register is at the first
};

struct Groups {
  static constexpr unsigned kSlots = 4;
  std::array<Sharing, kMaxTrace> operand;  // the explicit memory operand's
  std::array<Sharing, kMaxTrace> stack;  // that of a push, pop, call or return
  u64 inside = 0;  // bit i: instruction i comes behind a group's first, and not behind its last
};

void find_groups(const Trace& trace, Groups* groups);

}  // namespace pileus::engine::bt
