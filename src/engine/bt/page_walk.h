// Page walks: guest-virtual to guest-physical by the guest's own tables (Intel SDM vol. 3, chapter 4).
#pragma once

#include "engine/bt/context.h"

namespace pileus::engine::bt {

struct Walk {
  u64 gpa = 0;
  unsigned page_bits = 12;  // 12, 21, 22 or 30
  bool global = false;
  bool user = true;      // U/S at every level
  bool writable = true;  // W at every level
  bool dirty = true;     // the leaf's D bit is set now
};

// Checks `access` by `mode` and sets A and, for a write, D. False: #PF (or #GP for a non-canonical address) in
// context.fault.
bool walk_pages(Context& context, u64 va, Access access, Mode mode, Walk* out);

}  // namespace pileus::engine::bt
