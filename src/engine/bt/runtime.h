// Runtime: what happens between translated blocks.
#pragma once

#include "engine/bt/code_cache.h"
#include "engine/bt/context.h"
#include "engine/bt/stubs.h"

namespace pileus::engine::bt {

Callouts runtime_callouts();

// Host code for CS:RIP, translated now if need be; nullptr when the run loop has to look at something first. Faults of
// the fetch are delivered inside.
u8* dispatch(Context& context);

// Whether translated code may not run (on) now: something waits, or the guest is in a mode for the interpreter.
bool must_leave(const Context& context);
// Usable bits.
u8 usable_now(const Context& context);
// The guest is in a mode that blocks are translated for.
bool is_translatable(const Context& context);

// The block for `key`, translated now if need be. nullptr when its first instruction must be interpreted. May pass
// through an exclusive section.
Block* get_block(Context& context, const BlockKey& key, bool arrival);

}  // namespace pileus::engine::bt
