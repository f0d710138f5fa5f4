// The guest's own breakpoints: DR0 to DR3 as DR7 has them (Intel SDM vol. 3, 18.2). While one is on, the interpreter alone
// runs the guest. debug.h is about those of a debugger outside.
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

inline bool has_breakpoints(const Context& context) { return (context.dr[7] & 0xFF) != 0; }

// Raises #DB when a breakpoint is on the instruction at `linear`.
bool check_instruction_breakpoints(Context& context, u64 linear);
// Notes which breakpoints an access touches, for take_breakpoint_trap().
void note_data_access(Context& context, u64 address, unsigned size, Access access);
void note_port_access(Context& context, u16 port, unsigned size);
// After an instruction: #DB is due, and DR6 says why.
bool take_breakpoint_trap(Context& context);

// MOV to or from a debug register while DR7.GD guards them: raises #DB.
bool check_general_detect(Context& context);

}  // namespace pileus::engine::bt
