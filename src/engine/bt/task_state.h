// What the processor takes from the task-state segment: stacks for inner rings, and whole tasks (Intel SDM vol. 3,
// chapter 8).
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

struct InnerStack {
  Segment segment;
  u32 pointer = 0;
};

// The stack of ring `cpl` by the current 32-bit or 16-bit TSS, all checks done.
bool read_inner_stack(Context& context, unsigned cpl, InnerStack* out);
// By the 64-bit TSS: of ring `cpl`, or entry `ist` (1 to 7) of its interrupt stacks.
bool read_inner_stack_long(Context& context, unsigned cpl, unsigned ist, u64* pointer);

enum class TaskSwitch : u8 { kJump, kCall, kInterrupt, kReturn };

// Through a task gate to the TSS that it names; not in long mode. `gate` is the raw descriptor.
bool enter_task_gate(Context& context, u16 selector, u64 gate, TaskSwitch how, u64 rip);
// To the 32-bit TSS `selector` with `rip` kept in the old one. True: the new task goes on at context.rip; what goes wrong
// when its segments are loaded was delivered to it.
bool switch_task(Context& context, u16 selector, TaskSwitch how, u64 rip);
// The same for an exception or interrupt, whose error code, if any, is pushed onto the new task's stack.
bool switch_task_for_event(Context& context, u16 selector, bool has_error, u32 error);
// IRET with NT set: back to the task that the current TSS links to.
bool return_from_task(Context& context, u64 rip);

}  // namespace pileus::engine::bt
