// Pages: which pages of guest memory a worker sees, as a TLB of the host's own making.
//
// A page is there only if the guest's page tables allow it to user code, writable only if its dirty bit is set and no
// block was translated from it (as in the write TLB, context.h), executable only with breakpoints at what may be
// an instruction that would behave otherwise there than in the guest. Like a TLB it may be older than the page tables until they are flushed, and no longer.
#pragma once

#include <vector>

#include "engine/bt/context.h"
#include "engine/bt/direct/page_map.h"
#include "engine/bt/direct/worker.h"

namespace pileus::engine::bt::direct {

class Pages {
 public:
  explicit Pages(Worker& worker) : worker_(worker) {}

  enum class Fault {
    kMapped,  // the access will succeed now
    kGuest,  // it is the guest's, or for the translator
    kLost,  // so is the worker
  };
  // For a page fault of the host with x86's error code.
  Fault handle_fault(Context& context, u64 address, u64 error);
  // After flushes of the guest's TLB: drops what its page tables do not say any more. False: the worker is lost.
  bool revalidate(Context& context);

 private:
  bool guard(u64 va, const std::vector<u64>& telltales);
  void forget(u64 va);
  void drop(u64 va);
  bool add(Context& context, u64 va, u64 gpa, int protection, bool wanted);
  void add_neighbours(Context& context, u64 va, bool executable);
  void request(const MapRequest& next);
  bool flush_requests();

  Worker& worker_;
  PageMap pages_;
  std::vector<u64> guarded_;  // those with breakpoints, in the order they came
  std::vector<MapRequest> requests_;
};

}  // namespace pileus::engine::bt::direct
