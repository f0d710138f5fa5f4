// The signal that takes a vCPU's thread out of KVM_RUN. Its handler does nothing: that it came is all.
#pragma once

#include "base/result.h"

namespace pileus::engine::kvm {

int kick_signal();
// Once for the process; again is harmless.
Result<> install_kick_handler();

}  // namespace pileus::engine::kvm
