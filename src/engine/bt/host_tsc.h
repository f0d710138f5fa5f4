// The host's TSC against its clock.
#pragma once

#include "base/ints.h"

namespace pileus::engine::bt {

// Frequency of the host's TSC in kHz: measured once, from the start of the program to the first call, which waits until
// 20 ms are over.
u64 tsc_khz();

}  // namespace pileus::engine::bt
