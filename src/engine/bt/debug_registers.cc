#include "engine/bt/debug_registers.h"

#include "engine/bt/events.h"

namespace pileus::engine::bt {

namespace {

enum Kind : unsigned { kExecute = 0, kWrite = 1, kPort = 2, kReadWrite = 3 };
constexpr u64 kGeneralDetect = 1U << 13;  // DR7.GD and DR6.BD
constexpr u64 kRf = 1U << 16, kCr4De = 8;

struct Breakpoint {
  u64 first, last;
  Kind kind;
};

// Breakpoint `i` of those that are on.
bool read_breakpoint(const Context& context, unsigned i, Breakpoint* out) {
  const u64 control = context.dr[7];
  if ((control >> (2 * i) & 3) == 0) return false;
  static constexpr u64 kLengths[] = {1, 2, 8, 4};
  const u64 length = kLengths[control >> (18 + 4 * i) & 3];
  const u64 linear = context.code64() ? context.dr[i] : context.dr[i] & 0xFFFFFFFF;
  out->first = linear & ~(length - 1);
  out->last = out->first + length - 1;
  out->kind = static_cast<Kind>(control >> (16 + 4 * i) & 3);
  return true;
}

template <typename Matches>
u64 matching(const Context& context, u64 first, u64 last, Matches matches) {
  u64 hit = 0;
  for (unsigned i = 0; i < 4; ++i) {
    Breakpoint at{};
    if (read_breakpoint(context, i, &at) && matches(at.kind) && first <= at.last && last >= at.first) hit |= 1U << i;
  }
  return hit;
}

}  // namespace

bool check_instruction_breakpoints(Context& context, u64 linear) {
  if ((context.rflags & kRf) != 0) return true;
  const u64 hit = matching(context, linear, linear, [](Kind kind) { return kind == kExecute; });
  if (hit == 0) return true;
  context.dr[6] |= hit;
  return context.raise(kVectorDb);
}

void note_data_access(Context& context, u64 address, unsigned size, Access access) {
  context.breakpoints_hit |= matching(context, address, address + size - 1, [&](Kind kind) {
    return kind == kReadWrite || (kind == kWrite && access == Access::kWrite);
  });
}

void note_port_access(Context& context, u16 port, unsigned size) {
  if ((context.cr4 & kCr4De) == 0) return;
  context.breakpoints_hit |= matching(context, port, port + size - 1, [](Kind kind) { return kind == kPort; });
}

bool take_breakpoint_trap(Context& context) {
  if (context.breakpoints_hit == 0) return false;
  context.dr[6] |= context.breakpoints_hit;
  context.breakpoints_hit = 0;
  return true;
}

bool check_general_detect(Context& context) {
  if ((context.dr[7] & kGeneralDetect) == 0) return true;
  context.dr[7] &= ~kGeneralDetect;
  context.dr[6] |= kGeneralDetect;
  return context.raise(kVectorDb);
}

}  // namespace pileus::engine::bt
