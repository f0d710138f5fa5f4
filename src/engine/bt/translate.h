// Translation of one block: bytes -> Trace -> host code -> CodeCache.
#pragma once

#include "engine/bt/code_cache.h"

namespace pileus::engine::bt {

enum class Translated : u8 {
  kDone,
  kInterpretFirst,  // the first instruction reaches into the next page, or is none
  kFull,            // no room for host code
  kAgain,           // the bytes changed meanwhile
};

// The page's code bits are set and no write TLB has it. Takes the cache's mutex.
Translated translate_block(Context& context, const BlockKey& key, const u8* host_page, Block** out);

}  // namespace pileus::engine::bt
