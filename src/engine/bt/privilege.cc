// SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS and I/O permission (SDM vol. 2; vol. 1, 19.5).
#include <utility>

#include "engine/bt/events.h"
#include "engine/bt/segments.h"
#include "engine/bt/system.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {
constexpr u32 kFlatCode = x86::kPresentBit | x86::kCodeOrData | x86::kTypeCode | 3 | x86::kGranularity;
constexpr u32 kFlatData = x86::kPresentBit | x86::kCodeOrData | 3 | x86::kDefaultBig | x86::kGranularity;
constexpr u64 kRf = 1U << 16;

void flat_code(Context& context, u16 selector, unsigned cpl, bool long_code) {
  context.segment[kCs] = {selector, kFlatCode | cpl << 5 | (long_code ? x86::kLongBit : x86::kDefaultBig), 0xFFFFFFFF,
                          0};
  context.cpl = static_cast<u8>(cpl);
  if (cpl == 3) context.entered_user();
}
void flat_stack(Context& context, u16 selector, unsigned cpl) {
  context.segment[kSs] = {selector, kFlatData | cpl << 5, 0xFFFFFFFF, 0};
}
bool is_canonical(u64 value) { return static_cast<u64>(static_cast<i64>(value << 16) >> 16) == value; }
}  // namespace

bool do_syscall(Context& context, u64 next_rip) {
  if ((context.efer & 1) == 0 || !context.code64()) return context.raise(kVectorUd);
  context.gpr[kRcx] = next_rip;
  context.gpr[kR11] = context.flags() & ~kRf;
  const auto selector = static_cast<u16>(context.star >> 32);
  context.set_flags(context.flags() & ~(context.sfmask | kRf));
  flat_code(context, selector & 0xFFFC, 0, true);
  flat_stack(context, static_cast<u16>((selector & 0xFFFC) + 8), 0);
  context.rip = context.lstar;
  return true;
}

bool do_sysret(Context& context, unsigned operand_bits) {
  if ((context.efer & 1) == 0 || !context.code64()) return context.raise(kVectorUd);
  if (context.cpl != 0) return context.raise(kVectorGp, 0);
  const bool to64 = operand_bits == 64;
  if (to64 && !is_canonical(context.gpr[kRcx])) return context.raise(kVectorGp, 0);
  const auto selector = static_cast<u16>(context.star >> 48);
  context.rip = to64 ? context.gpr[kRcx] : context.gpr[kRcx] & 0xFFFFFFFF;
  flat_code(context, static_cast<u16>((to64 ? selector + 16 : selector) | 3), 3, to64);
  flat_stack(context, static_cast<u16>((selector + 8) | 3), 3);
  context.set_flags((context.gpr[kR11] & 0x3C7FD7) | 2);
  return true;
}

bool do_sysenter(Context& context) {
  if ((context.sysenter_cs & 0xFFFC) == 0 || is_real_mode(context)) return context.raise(kVectorGp, 0);
  const auto selector = static_cast<u16>(context.sysenter_cs & 0xFFFC);
  context.set_flags(context.flags() & ~u64{0x20200});
  const bool long_mode = context.long_mode();
  flat_code(context, selector, 0, long_mode);
  flat_stack(context, static_cast<u16>(selector + 8), 0);
  context.rip = long_mode ? context.sysenter_eip : context.sysenter_eip & 0xFFFFFFFF;
  context.gpr[kRsp] = long_mode ? context.sysenter_esp : context.sysenter_esp & 0xFFFFFFFF;
  return true;
}

bool do_sysexit(Context& context, unsigned operand_bits) {
  if ((context.sysenter_cs & 0xFFFC) == 0 || context.cpl != 0 || is_real_mode(context))
    return context.raise(kVectorGp, 0);
  const bool to64 = operand_bits == 64;
  if (to64 && (!is_canonical(context.gpr[kRcx]) || !is_canonical(context.gpr[kRdx])))
    return context.raise(kVectorGp, 0);
  const u64 base = (context.sysenter_cs & 0xFFFC) + (to64 ? 32 : 16);
  context.rip = to64 ? context.gpr[kRdx] : context.gpr[kRdx] & 0xFFFFFFFF;
  context.gpr[kRsp] = to64 ? context.gpr[kRcx] : context.gpr[kRcx] & 0xFFFFFFFF;
  flat_code(context, static_cast<u16>(base | 3), 3, to64);
  flat_stack(context, static_cast<u16>((base + 8) | 3), 3);
  return true;
}

bool do_swapgs(Context& context) {
  if (!context.code64()) return context.raise(kVectorUd);
  if (context.cpl != 0) return context.raise(kVectorGp, 0);
  std::swap(context.segment[kGs].base, context.kernel_gs_base);
  return true;
}

bool check_io(Context& context, u16 port, unsigned size) {
  const unsigned iopl = context.rflags >> 12 & 3;
  if (is_real_mode(context) || context.cpl <= iopl) return true;
  u16 map = 0;
  u16 bits = 0;
  if (context.tr.limit < 103) return context.raise(kVectorGp, 0);
  if (!read_system(context, context.tr.base + 102, &map, 2)) return false;
  if (u64{map} + port / 8U + 1 > context.tr.limit) return context.raise(kVectorGp, 0);
  if (!read_system(context, context.tr.base + map + port / 8U, &bits, 2)) return false;
  const unsigned wanted = ((1U << size) - 1) << (port & 7);
  return (bits & wanted) == 0 || context.raise(kVectorGp, 0);
}

}  // namespace pileus::engine::bt
