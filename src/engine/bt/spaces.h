// Spaces: what the TLBs held of address spaces that are not the current one, for when CR3 comes back to their PCID.
//
// Translated code looks at one set of TLBs, whatever the PCID: a probe that knew of PCIDs would be longer. So what is
// entered there of pages that are not global is also written down, in the log of the current space. A change of space
// undoes the log of the one and repeats that of the other, a few stores for each entry.
//
// Jumps of user code stay in their cache instead, each with the tag of its space: there are more of them, and looking at
// the tag costs a jump only three instructions. A space whose jumps are to be forgotten gets another tag.
//
// Invariants:
// 1. What the TLBs and the code TLBs hold of pages that are not global is in the current log, or the log says that it has
//    forgotten some (is_whole). The code TLB of CPL 0 is left out (Context::kernel_code_non_global).
// 2. What a log holds may be entered again whenever its space is current: who makes an entry wrong takes it out of the
//    log as well.
// 3. The jump cache has entries of a tag only for the space that has it: no two have the same, and one that was given up
//    is not given again before the whole cache is empty.
// 4. Entries may be lost at any time, as those of a processor may.
#pragma once

#include <array>

#include "base/ints.h"

namespace pileus::engine::bt {

struct Context;

// Regions that TLB entries or cached jumps of large pages lie in: INVLPG of one has to look further than its slot. Filters,
// with a bit for each hashed 2 MiB (`region`) or 1 GiB (`huge`) of virtual address space.
struct LargePages {
  std::array<u64, 16> region;
  u64 huge;
};

// The newest entries of a sequence.
template <typename Entry, unsigned kSize>
struct Ring {
  static_assert((kSize & (kSize - 1)) == 0);
  u64 count;  // ever added
  std::array<Entry, kSize> entry;

  bool is_whole() const { return count <= kSize; }
  Entry& add() { return entry[count++ % kSize]; }
  // Oldest first.
  template <typename Visit>
  void visit(Visit&& visit) {
    for (u64 i = is_whole() ? 0 : count - kSize; i < count; ++i) visit(entry[i % kSize]);
  }
};

enum class Logged : u8 { kNothing, kData, kCode };

struct SpaceLog {
  struct Mapping {
    u64 page;  // virtual address
    u64 to;  // data: host address of the page; code: guest-physical address
    Logged what;
    u8 mode;  // data
    u8 which;  // data: 0 read, 1 write
  };
  bool used;
  u64 pcid;  // while not the current one
  u64 left_at;  // Spaces::clock
  Ring<Mapping, 128> mappings;
  u64 jump_tag;  // while not the current one; 0: it has no jumps
  std::array<u64, 128> jump_pages;  // JumpCache::pages, while not the current one
  // What was ever added to `mappings`, for when it is not whole.
  std::array<bool, 3> logged_modes;
  bool logged_code;
  std::array<LargePages, 2> large;  // Context::large_pages[.][1], while not the current one
};

inline constexpr unsigned kSpaces = 8;  // Linux uses six PCIDs

struct Spaces {
  std::array<SpaceLog, kSpaces> log;
  unsigned current;
  u64 clock;
  u64 last_jump_tag;
  bool global_user_code;  // was fetched: a page that is flushed in one space may have jumps of others
};

// CR3 is about to be loaded with a value of this PCID (0 without CR4.PCIDE). `keep`: what the TLBs know of it stays.
void change_space(Context& context, u64 pcid, bool keep);
// Forgets what is not global of one PCID, or of all but the current one.
void forget_space(Context& context, u64 pcid);
void forget_other_spaces(Context& context);

// For tlb.cc.
void log_data(Context& context, u64 page, u64 host, u8 mode, u8 which);
void log_code(Context& context, u64 page, u64 gpa);
// Drops from the current log what agrees with `va` from bit `bits` up.
void unlog_region(Context& context, u64 va, unsigned bits);
// Drops entries for writing to the host page from all logs.
void unlog_writes_to(Context& context, u64 host_page);
// Forgets the user code's jumps of the current space.
void renew_jump_tag(Context& context);
// All of the current log, whose entries have been forgotten.
void clear_log(Context& context);

}  // namespace pileus::engine::bt
