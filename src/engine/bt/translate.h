// Translation of one block: bytes -> Trace -> host code -> CodeCache.
#pragma once

#include "engine/bt/code_cache.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

enum class Translated : u8 {
  kDone,
  kInterpretFirst,  // the first instruction reaches into the next page, or is none
  kFull,            // no room for host code
  kAgain,           // the bytes changed meanwhile
};

// The page's code bits are set and no write TLB has it. `arrival`: make it one that indirect branches can lead to. Takes
// the cache's mutex.
Translated translate_block(Context& context, const BlockKey& key, const u8* host_page, bool arrival, Block** out);

// Makes a block that indirect branches can lead to of one that they cannot; nullptr where there is no room, or for
// kModeKernelAc. Takes the cache's mutex.
const u8* add_arrival(Vm& vm, Block& block);

}  // namespace pileus::engine::bt
