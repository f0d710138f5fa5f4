// What a sampling profile of vCPUs holds. Part of the engine seam.
#pragma once

#include <array>
#include <vector>

#include "base/ints.h"

namespace pileus::engine {

// What a vCPU's thread did at the moment of a sample.
enum class Activity : u8 {
  kGuest,       // guest code ran: translated, or by hardware
  kDirect,      // user code ran on the host's processor as it is, or was on its way there and back
  kTransition,  // into and out of translated code
  kTlbMiss,     // a data access whose page was not in the software TLB
  kLookup,      // looking for the code to go on at
  kTranslate,
  kInterpret,
  kEvent,   // delivering an exception or an interrupt
  kDevice,  // in a device: a port or memory-mapped I/O
  kHalted,
  kRunLoop,  // timers, pending interrupts
};

constexpr std::array<const char*, 11> kActivityNames{
    "guest code",   "direct execution",       "transitions", "TLB misses", "block lookup", "translating",
    "interpreting", "exceptions, interrupts", "devices",     "halted",     "run loop"};
constexpr const char* activity_name(Activity activity) { return kActivityNames[static_cast<unsigned>(activity)]; }

// Samples with the same answer to everything.
struct ProfileEntry {
  Activity activity = Activity::kRunLoop;
  bool user = false;       // the guest was in user mode
  std::vector<u64> stack;  // where it was, and inside which calls; the innermost first; may be empty
  u64 count = 0;
};

struct Profile {
  std::vector<ProfileEntry> entries;
  u64 samples = 0;
  u64 lost = 0;  // that could not be kept
  u64 period_ns = 0;
};

}  // namespace pileus::engine
