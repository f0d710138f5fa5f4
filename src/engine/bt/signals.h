// Host signals of vCPU threads: faults raised by guest instructions that run natively, and the timer.
#pragma once

#include "base/result.h"
#include "engine/bt/context.h"

namespace pileus::engine::bt {

// Installs the process-wide handlers, once. Signals that do not come from translated code keep their old meaning.
Result<> install_signal_handlers();

// Asks a vCPU's thread for a sample (sampler.h).
int sample_signal();

// What a thread needs while it runs a vCPU: an alternate signal stack (RSP is the guest's), GS at the Context, and a
// timer that sets exit_request.
class VcpuThread {
 public:
  explicit VcpuThread(Context& context);
  ~VcpuThread();
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;

  // Makes exit_request be set at `due_ns` (CLOCK_MONOTONIC); 0 disarms.
  void arm(u64 due_ns);

 private:
  void* stack_;
  void* timer_ = nullptr;  // timer_t
  u64 armed_ns_ = 0;
};

}  // namespace pileus::engine::bt
