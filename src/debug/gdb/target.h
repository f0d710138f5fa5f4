// Target: the guest as a debugger sees it. Session (session.h) speaks to GDB and to this.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/cpu_state.h"
#include "engine/debug.h"
#include "guest/memory.h"

namespace pileus::debug::gdb {

enum class Action : u8 { kStay, kRun, kStep };

// One thread's. Everything but pause() only while the guest stands still.
class Target {
 public:
  virtual ~Target() = default;
  virtual u32 cpu_count() const = 0;
  virtual engine::CpuState state(u32 cpu) const = 0;
  virtual Result<> set_state(u32 cpu, const engine::CpuState& state) = 0;
  virtual guest::GuestMemory& memory() = 0;
  // Returns when all vCPUs stand still.
  virtual void pause() = 0;
  // One action for each vCPU. Whoever stops for it tells the session.
  virtual Result<> resume(const std::vector<Action>& actions, const std::vector<engine::Breakpoint>& breakpoints) = 0;
  // Ends the guest as by pulling the plug.
  virtual void kill() = 0;
};

}  // namespace pileus::debug::gdb
