// Copying out of a mapped file, which somebody may cut off or whose disk may fail at any moment: the kernel then raises
// SIGBUS, and that must not end the VM.
#pragma once

#include <ucontext.h>

#include "base/ints.h"

namespace pileus::engine::bt::stored {

// False: not all bytes could be read.
bool guarded_copy(u8* to, const u8* from, u64 size);

// For the signal handlers: when the fault is guarded_copy()'s, makes that fail and answers true.
bool recover_copy(greg_t* registers);

}  // namespace pileus::engine::bt::stored
