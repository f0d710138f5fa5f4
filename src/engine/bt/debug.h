// Debugging of a vCPU under the translator: breakpoints, watched ranges and single steps (engine/debug.h).
//
// While a vCPU has breakpoints, an instruction at the page offset of any of them is not copied by the translator but is
// one for the interpreter (break_trace), and on the way there it is found out whether its address is meant. So
// everything else runs as fast as ever. A page with a watched byte never gets into a data TLB: each access to it is a
// miss, which the interpreter carries out, and that tells us.
#pragma once

#include <atomic>
#include <bitset>
#include <mutex>
#include <vector>

#include "engine/bt/context.h"
#include "engine/bt/tlb.h"
#include "engine/debug.h"

namespace pileus::engine::bt {

struct Trace;

using PageOffsets = std::bitset<4096>;

// What a debugger wants of one vCPU. Context::debug points to it while that is anything. The vCPU's thread, or any one
// while the vCPU does not run.
class Debug {
 public:
  explicit Debug(Context& context) : context_(context) {}
  void set(const DebugSettings& settings);
  bool single_step() const { return settings_.single_step; }
  const PageOffsets& offsets() const { return offsets_; }

  // Whether the vCPU has to stop before the instruction at RIP; then that is its stop.
  bool breaks_here();
  // A data access that does not fault, by the interpreter.
  void on_access(u64 va, unsigned size, Access access);
  // Inlined, so that what is called from translated code stays free of vector registers (fast_path.h).
  [[gnu::always_inline]] bool watches_page(u64 va) const {
    for (const Breakpoint& watch : watches_) {
      if ((va & ~kPageMask) <= watch.address + watch.length - 1 && (va | kPageMask) >= watch.address) return true;
    }
    return false;
  }

  // Why the vCPU shall leave run(), once. After a single step there is always a reason.
  bool take_stop(DebugStop* stop);
  void stepped();

 private:
  void stop_for(const Breakpoint& breakpoint);

  Context& context_;
  DebugSettings settings_;
  std::vector<u64> breaks_;  // addresses, sorted
  std::vector<Breakpoint> watches_;
  PageOffsets offsets_;  // of breaks_
  bool stopped_ = false;
  DebugStop stop_;
};

// The page offsets at which any vCPU has a breakpoint.
class BreakFilter {
 public:
  // Any thread.
  void want(u32 vcpu, const PageOffsets& offsets);
  // Whether blocks were made with other offsets in mind, so that all have to be made again. Where there are only fewer
  // of them than before, they need not: debuggers take breakpoints out at each stop.
  bool is_stale() const;
  // From now on blocks are made for what is wanted. In an exclusive section.
  void renew();
  // For the translator.
  const PageOffsets& offsets() const { return used_; }
  bool any() const { return any_; }

 private:
  mutable std::mutex mutex_;
  std::vector<PageOffsets> of_vcpu_;  // guarded by mutex_
  PageOffsets wanted_;  // guarded by mutex_
  // Read while vCPUs run, written while they stand still.
  PageOffsets used_;
  bool any_ = false;  // used_.any(), which each block asks for
};

// Leaves the instructions at `offsets` to the interpreter.
void break_trace(Trace& trace, const PageOffsets& offsets);

// Whether the vCPU has to stop before the instruction at RIP.
inline bool must_break(Context& context) { return context.debug != nullptr && context.debug->breaks_here(); }

}  // namespace pileus::engine::bt
