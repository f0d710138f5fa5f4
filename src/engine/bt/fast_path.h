// The frequent ways out of translated code that C++ can go without touching vector registers: the stubs then need not
// save them. This file and what it calls are compiled for general registers only.
#pragma once

#include "engine/bt/code_cache.h"

namespace pileus::engine::bt {

// A data TLB miss at `address` in the instruction of `site`: fills the entry. Host code to go on at, or nullptr: then
// nothing has happened yet and the slow path has to do all.
u8* fast_memory(Context* context, const Site* site, u64 address);

// Host code of instruction `index` of `block` in another block of the same instructions; nullptr when they are not.
inline u8* code_in(const Block& other, const Block& block, unsigned index) {
  if (index >= other.insn_count || other.marks()[index].guest_offset != block.marks()[index].guest_offset)
    return nullptr;
  return other.host + other.marks()[index].host_offset;
}

// A group of accesses that begins at `address`, not all of whose bytes are where the TLB leads: fills the entry, or goes on
// with the block without groups if that has been translated already.
u8* fast_group(Context* context, const Site* site, u64 address);

// A jump cache miss for guest RIP `address`: the block if it has been translated already, else nullptr.
// What generated code passes for an instruction that reaches into the next page; its code stands right behind.
struct __attribute__((packed)) StraddleSite {
  Site site;
  // The first 16 bytes of the next page, and which of them belong to the instruction.
  u64 bytes[2];
  u64 mask[2];
};

// Whether the next page still holds the end of the instruction, in this address space: then its code, else nullptr.
u8* fast_straddle(Context* context, const Site* site, u64 address);
u8* fast_indirect(Context* context, const Site* site, u64 address);

}  // namespace pileus::engine::bt
