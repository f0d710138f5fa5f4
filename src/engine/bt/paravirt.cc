#include "engine/bt/paravirt.h"

#include <ctime>

#include <x86intrin.h>

#include "engine/bt/events.h"
#include "engine/bt/host_tsc.h"
#include "engine/bt/lapic.h"
#include "engine/bt/mmu.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"
#include "engine/bt/wide.h"

namespace pileus::engine::bt {

namespace {

constexpr u32 kWallClockOld = 0x11, kSystemTimeOld = 0x12, kWallClock = 0x4B564D00, kSystemTime = 0x4B564D01,
              kSteal = 0x4B564D03, kPvEoi = 0x4B564D04, kPollControl = 0x4B564D05;
constexpr u64 kStealPreempted = 16;  // offset of the flag
constexpr u8 kPreempted = 1, kFlushTlb = 2;

struct ClockPage {  // struct pvclock_vcpu_time_info
  u32 version;
  u32 pad;
  u64 tsc_timestamp;
  u64 system_time;
  u32 multiplier;
  i8 shift;
  u8 flags;
  u8 pad2[2];
};
static_assert(sizeof(ClockPage) == 32);

struct WallClock {  // struct pvclock_wall_clock
  u32 version;
  u32 seconds;
  u32 nanoseconds;
};
static_assert(sizeof(WallClock) == 12);

u64 clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

// nanoseconds = (tsc << shift, or >> -shift) * multiplier >> 32
void scale(u64 khz, u32* multiplier, i8* shift) {
  u64 hz = khz * 1000;
  *shift = 0;
  while (hz > 2'000'000'000) {
    hz >>= 1;
    --*shift;
  }
  while (hz <= 1'000'000'000) {
    hz <<= 1;
    ++*shift;
  }
  *multiplier = static_cast<u32>((u64{1'000'000'000} << 32) / hz);
}

bool write_clock_page(Context& context, u64 gpa) {
  u8* host = context.vm->memory().host(gpa, sizeof(ClockPage));
  if (host == nullptr) return false;
  ClockPage fresh{};
  scale(tsc_khz(), &fresh.multiplier, &fresh.shift);
  fresh.flags = 1;  // stable across vCPUs
  // Same zero for every vCPU: the guest's TSC 0 is its time 0.
  fresh.tsc_timestamp = 0;
  fresh.system_time = 0;
  fresh.version = 2;
  __builtin_memcpy(host, &fresh, sizeof fresh);
  wrote_memory(context, gpa, sizeof fresh);
  return true;
}

bool write_wall_clock(Context& context, u64 gpa) {
  u8* host = context.vm->memory().host(gpa, sizeof(WallClock));
  if (host == nullptr) return false;
  u32 multiplier = 0;
  i8 shift = 0;
  scale(tsc_khz(), &multiplier, &shift);
  const u64 tsc = read_tsc(context);
  const u64 scaled = shift < 0 ? tsc >> -shift : tsc << shift;
  const u64 uptime = multiply_shift(scaled, multiplier, 32);
  const u64 boot = clock_ns(CLOCK_REALTIME) - uptime;
  const WallClock wall{2, static_cast<u32>(boot / 1'000'000'000), static_cast<u32>(boot % 1'000'000'000)};
  __builtin_memcpy(host, &wall, sizeof wall);
  wrote_memory(context, gpa, sizeof wall);
  return true;
}

u8* guest_byte(Context& context, u64 msr, u64 mask, u64 offset) {
  if ((msr & 1) == 0) return nullptr;
  return context.vm->memory().host((msr & ~mask) + offset, 1);
}

}  // namespace

bool read_paravirt_msr(Context& context, u32 index, u64* value) {
  if (!context.vm->config().paravirt) return false;
  switch (index) {
    case kWallClockOld:
    case kWallClock: *value = context.pv_wall_clock_msr; return true;
    case kSystemTimeOld:
    case kSystemTime: *value = context.pv_system_time_msr; return true;
    case kSteal: *value = context.pv_steal_time_msr; return true;
    case kPvEoi: *value = context.pv_eoi_msr; return true;
    case kPollControl: *value = context.pv_poll_control; return true;
    default: return false;
  }
}

bool write_paravirt_msr(Context& context, u32 index, u64 value) {
  if (!context.vm->config().paravirt) return false;
  switch (index) {
    case kWallClockOld:
    case kWallClock: context.pv_wall_clock_msr = value; return value == 0 || write_wall_clock(context, value);
    case kSystemTimeOld:
    case kSystemTime:
      context.pv_system_time_msr = value;
      return (value & 1) == 0 || write_clock_page(context, value & ~u64{1});
    case kSteal: context.pv_steal_time_msr = value; return true;
    case kPvEoi: context.pv_eoi_msr = value; return true;
    case kPollControl: context.pv_poll_control = value; return true;
    default: return false;
  }
}

void paravirt_halt_begin(Context& context) {
  u8* preempted = guest_byte(context, context.pv_steal_time_msr, 63, kStealPreempted);
  if (preempted != nullptr) __atomic_store_n(preempted, kPreempted, __ATOMIC_SEQ_CST);
}

void paravirt_halt_end(Context& context) {
  u8* preempted = guest_byte(context, context.pv_steal_time_msr, 63, kStealPreempted);
  if (preempted == nullptr) return;
  const u8 was = __atomic_exchange_n(preempted, u8{0}, __ATOMIC_SEQ_CST);
  if ((was & kFlushTlb) == 0) return;
  flush_tlb_non_global(context);
  forget_other_spaces(context);
}

bool paravirt_eoi_set(Context& context) {
  u8* flag = guest_byte(context, context.pv_eoi_msr, 3, 0);
  if (flag == nullptr) return false;
  __atomic_fetch_or(flag, u8{1}, __ATOMIC_SEQ_CST);
  return true;
}

bool paravirt_eoi_ended(Context& context) {
  u8* flag = guest_byte(context, context.pv_eoi_msr, 3, 0);
  if (flag == nullptr) return true;
  return (__atomic_fetch_and(flag, u8{0xFE}, __ATOMIC_SEQ_CST) & 1) == 0;
}

bool paravirt_eoi_standing(Context& context) {
  const u8* flag = guest_byte(context, context.pv_eoi_msr, 3, 0);
  return flag != nullptr && (__atomic_load_n(flag, __ATOMIC_SEQ_CST) & 1) != 0;
}

bool do_hypercall(Context& context) {
  constexpr u64 kNoSuchCall = ~u64{1000} + 1;
  constexpr u64 kKickCpu = 5, kSendIpi = 10, kSchedYield = 11;
  if (!context.vm->config().paravirt) return context.raise(kVectorUd);
  if (context.cpl != 0) {
    context.gpr[kRax] = ~u64{1} + 1;  // -EPERM
    return true;
  }
  const u64 call = context.gpr[kRax];
  context.gpr[kRax] = 0;
  if (call == kKickCpu) {
    if (Context* target = context.vm->context_of(static_cast<u32>(context.gpr[kRcx]))) {
      target->pv_kicked.store(true);  // kept for its next HLT when it is not halted yet, so that no kick is lost
      context.vm->wake(*target);
    }
  } else if (call == kSendIpi) {
    const u128 set = u128{context.gpr[kRcx]} << 64 | context.gpr[kRbx];
    const u32 low = static_cast<u32>(context.gpr[kRdx]);
    const u32 icr = static_cast<u32>(context.gpr[kRsi]);
    u64 sent = 0;
    for (u32 i = 0; i < 128; ++i) {
      if ((set >> i & 1) == 0 || context.vm->context_of(low + i) == nullptr) continue;
      context.vm->deliver(low + i, false, static_cast<Delivery>(icr >> 8 & 7), static_cast<u8>(icr), false);
      ++sent;
    }
    context.gpr[kRax] = sent;
  } else if (call != kSchedYield) {
    context.gpr[kRax] = kNoSuchCall;
  }
  return true;
}

}  // namespace pileus::engine::bt
