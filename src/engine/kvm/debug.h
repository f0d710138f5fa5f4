// What a debugger asks of a vCPU, as KVM has it: the processor's four debug registers, which the guest's own then stand behind, and
// single steps (KVM_SET_GUEST_DEBUG).
#pragma once

#include <linux/kvm.h>

#include <vector>

#include "base/result.h"
#include "engine/debug.h"

namespace pileus::engine::kvm {

// What one debug register looks for: an aligned piece of a breakpoint's range.
struct DebugPiece {
  Breakpoint breakpoint;
  u64 address;
  unsigned length;  // 1, 2, 4 or 8
};

class GuestDebug {
 public:
  // kUnsupported: it takes more registers than there are, or has the processor look for reads alone, which it cannot.
  static Result<GuestDebug> create(const DebugSettings& settings);
  bool empty() const { return !single_step_ && pieces_.empty(); }
  // `allowed`: the flags that KVM knows.
  kvm_guest_debug request(u32 allowed) const;
  // What KVM has stopped for.
  DebugStop stop(const kvm_debug_exit_arch& exit) const;

 private:
  bool single_step_ = false;
  std::vector<DebugPiece> pieces_;
};

}  // namespace pileus::engine::kvm
