// Exceptions and interrupts: delivery through the IDT or IVT, and the way back (IRET).
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

enum Vector : u8 {
  kVectorDe = 0,
  kVectorDb = 1,
  kVectorNmi = 2,
  kVectorBp = 3,
  kVectorOf = 4,
  kVectorBr = 5,
  kVectorUd = 6,
  kVectorNm = 7,
  kVectorDf = 8,
  kVectorTs = 10,
  kVectorNp = 11,
  kVectorSs = 12,
  kVectorGp = 13,
  kVectorPf = 14,
  kVectorMf = 16,
  kVectorAc = 17,
  kVectorMc = 18,
  kVectorXm = 19,
};

enum class EventSource : u8 {
  kException,
  kExternal,
  kSoftware,            // INT n, INT3, INTO: RIP is past it
  kPrivilegedSoftware,  // INT1: likewise, but the gate's DPL does not matter
};

// Delivers context.fault: RIP in the context is that of the faulting instruction. Handles nested faults: #DF, and
// false on a triple fault (run_state becomes kShutdown).
bool deliver_fault(Context& context);
// The same as long as nothing else goes wrong: when it does, false, and all is as it was.
bool deliver_first_fault(Context& context);

// Delivers vector as an interrupt. For those of software a fault is left in context.fault and false returned (the caller
// delivers it with RIP back at the instruction); for kExternal faults are delivered inside.
bool deliver_interrupt(Context& context, u8 vector, EventSource source);

// IRET for operand size 16, 32 or 64 bits, with RIP behind it for a return to another task: false with context.fault set
// on a fault, the context unchanged.
bool do_iret(Context& context, unsigned operand_bits, u64 next_rip);
// The NMI handler is over, as far as the processor can tell.
void allow_nmi(Context& context);

// Takes whatever can be taken now (NMI, INIT/SIPI, an interrupt when IF is set and no shadow); updates irq_waiting.
// True when something was delivered.
bool take_pending_events(Context& context);

}  // namespace pileus::engine::bt
