// Direct execution: user code that computes for long runs on the host's processor as it is, in a process that has the
// guest's pages and no rights (worker.h), where it needs no translation and no TLB probes.
//
// Going there and coming back costs two switches of processes, some ten microseconds, so it is for code that does without
// the guest's kernel for longer than that. Whatever stops it (an exception, a system call, an interrupt) leaves the state
// before that instruction in the Context, and the translator goes on: it knows what the instruction does. Only page
// faults for pages that the guest has mapped are dealt with here.
#pragma once

#include <array>
#include <list>
#include <memory>

#include "engine/bt/context.h"
#include "engine/bt/direct/pages.h"
#include "engine/bt/direct/worker.h"

namespace pileus::engine::bt::direct {

// One vCPU's. All but kick() on its thread.
class Direct {
 public:
  explicit Direct(Context& context);
  // Looks what the vCPU was doing, when an interrupt or the like has stopped it at CPL 3. A guest that computes has a
  // timer that does so often enough.
  void look(u64 now_ns);
  // Whether the code at RIP should run here now.
  bool wants();
  // Runs it until something is for others to do. The x87 registers are in Context::fx before and after.
  void run();
  // From a signal handler that interrupts run().
  void kick() const;

 private:
  // An address space of the guest.
  struct Space {
    u64 root = 0;  // of its page tables: it may come back under another PCID
    std::unique_ptr<Worker> worker;
    Pages pages;
    u64 cr3 = kNoSpace;  // PCID and Context::tlb_flushes for which `pages` is right
    u64 flushes = 0;
    u64 worth_ns = 0;  // how long it runs undisturbed, smoothed
    Space(u64 tables, std::unique_ptr<Worker> process) : root(tables), worker(std::move(process)), pages(*worker) {}
  };

  // An address space whose code stayed in user mode for a while.
  struct Candidate {
    u64 root = kNoSpace;
    unsigned looks = 0;
  };

  bool is_possible() const;
  bool has_earned_space();
  Space* space();
  bool has_avx() const;
  void load(Space& space);
  void save(Space& space);
  bool go_on(Space& space, bool* lost);
  void step_back(Stop stop);
  u8 byte_at(u64 va);

  Context& context_;
  bool enabled_;
  bool always_;
  std::list<Space> spaces_;  // last used first
  std::array<Candidate, 16> candidates_;
  std::size_t next_candidate_ = 0;
  const Worker* running_ = nullptr;
  u64 looked_ns_ = 0;
  u64 looked_at_entry_ = 0;  // Context::user_entries at the last look
  u64 stopped_at_entry_ = 0;  // and when run() last ended
  int thread_ = 0;  // which the workers end with
};

}  // namespace pileus::engine::bt::direct
