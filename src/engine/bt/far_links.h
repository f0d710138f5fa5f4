// FarLinks: what jumps and calls of kernel code straight to other pages rely on.
//
// Such a link leaves out the look at where the target's virtual address leads now. It is right as long as
// 1. code of the page that it leaves is run at one virtual address only (Block::vpage), and
// 2. every vCPU in long mode could have the target's mapping in its TLB, as a global one.
// So the mappings that links rely on are kept here. Each is looked up in the tables of all vCPUs while they stand still,
// before the first link relies on it, and again in those of a vCPU that the guest has forget it: what is not there any more
// takes its links along. Thus a link outlives a change of the tables as long as a TLB entry may, and no longer.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "base/ints.h"

namespace pileus::engine::bt {

struct Block;
struct Context;
class Vm;

class FarLinks {
 public:
  explicit FarLinks(Vm& vm) : vm_(vm) {}

  // Links exit `number` of `from`, which has just led to context.rip, where `to` begins; where that cannot be relied on, the
  // exit goes through the jump cache from now on. May pass through an exclusive section.
  void link(Context& context, Block* from, unsigned number, Block* to);

  // Whether some link relies on a mapping of what agrees with `va` from bit `bits` up.
  bool relies_on(u64 va, unsigned bits) const;
  bool empty() const { return regions_.empty(); }
  // Whether one ever did, or of a page nearby: returns (return_stack.h) may lead there unseen.
  bool has_led_to(u64 va) const { return find(va) != nullptr; }
  // The guest has had `context` forget such mappings, or all of them: looks at them anew. With the guest's vector registers
  // saved.
  void check(Context& context, u64 va, unsigned bits);
  void check_all(Context& context) { check(context, 0, 64); }

 private:
  static constexpr unsigned kRegionBits = 21, kRegionPages = 512;
  static constexpr u64 kNone = ~u64{0};
  static constexpr std::size_t kMaxRegions = 128;
  // 2 MiB of virtual addresses.
  struct Region {
    explicit Region(u64 address) : base(address) {
      for (auto& one : page) one.store(kNone, std::memory_order_relaxed);
    }
    u64 base;
    std::atomic<u64> whole{kNone};  // where one large page has all of it
    std::array<std::atomic<u64>, kRegionPages> page;  // where each page is
  };

  Region* find(u64 va) const;
  bool holds(u64 vpage, u64 gpa) const;
  void rely_on(Context& context, u64 vpage, u64 gpa);
  Region* region_for(u64 va);
  bool forget_unused();
  void check_region(Context& context, Region& region, u64 va, unsigned bits);
  void note_page(Region& region, u64 index, u64 gpa);
  void drop(u64 gpa, unsigned pages);

  Vm& vm_;
  std::vector<std::unique_ptr<Region>>
      regions_;  // by address; changed in exclusive sections, pages with the cache's mutex too
};

}  // namespace pileus::engine::bt
