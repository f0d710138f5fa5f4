// The signal that takes a vCPU's thread out of KVM_RUN. Its handler does nothing: that it came is all.
#pragma once

#include <csignal>

#include "base/result.h"

namespace pileus::engine::kvm {

int kick_signal();
// Once for the process; again is harmless.
Result<> install_kick_handler();

// A kick of the calling thread that waits for as long as this lives: a KVM_RUN of `vcpu` finds it there, does what it has to do
// before it enters the guest, and ends with EINTR.
class PendingKick {
 public:
  explicit PendingKick(int vcpu);
  ~PendingKick();
  PendingKick(const PendingKick&) = delete;
  PendingKick& operator=(const PendingKick&) = delete;

 private:
  const int vcpu_;
  sigset_t before_{};  // signals that the thread had blocked
};

}  // namespace pileus::engine::kvm
