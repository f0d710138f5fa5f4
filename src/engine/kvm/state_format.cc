#include "engine/kvm/state_format.h"

#include <algorithm>
#include <cstring>

namespace pileus::engine::kvm {

namespace {

constexpr u32 kUnusable = 1U << 16;
constexpr u64 kX2apic = 0x400;
// Register numbers (SDM vol. 3, table 11-6).
constexpr u32 kId = 0x02, kVersion = 0x03, kIsr = 0x10, kIrr = 0x20, kLvtTimer = 0x32, kInitialCount = 0x38,
              kCurrentCount = 0x39, kDivide = 0x3E;
constexpr u32 kTmr = 0x18, kMasked = 1U << 16, kVector = 0xFF;
constexpr u32 kTimerMode = 3U << 17, kOneShot = 0, kTscDeadline = 2U << 17;
constexpr std::size_t kRegisterBytes = 16;

constexpr u8 bit(u32 value, unsigned number) { return static_cast<u8>(value >> number & 1); }

u64 divisor(u32 divide) {
  const unsigned code = (divide & 3) | (divide >> 1 & 4);
  return code == 7 ? 1 : 2U << code;
}

void put(kvm_lapic_state* page, u32 index, u32 value) {
  std::memcpy(page->regs + index * kRegisterBytes, &value, sizeof value);
}

}  // namespace

kvm_segment encode_segment(const Segment& segment) {
  const u32 a = segment.attributes;
  kvm_segment out{};
  out.base = segment.base;
  out.limit = segment.limit;
  out.selector = segment.selector;
  out.type = static_cast<u8>(a & 15);
  out.s = bit(a, 4);
  out.dpl = static_cast<u8>(a >> 5 & 3);
  out.present = bit(a, 7);
  out.avl = bit(a, 12);
  out.l = bit(a, 13);
  out.db = bit(a, 14);
  out.g = bit(a, 15);
  out.unusable = bit(a, 16);
  return out;
}

Segment decode_segment(const kvm_segment& segment) {
  Segment out;
  out.base = segment.base;
  out.limit = segment.limit;
  out.selector = segment.selector;
  out.attributes = static_cast<u32>((segment.type & 15) | (segment.s & 1) << 4 | (segment.dpl & 3) << 5 |
                                    (segment.present & 1) << 7 | (segment.avl & 1) << 12 | (segment.l & 1) << 13 |
                                    (segment.db & 1) << 14 | (segment.g & 1) << 15);
  if (segment.unusable != 0) out.attributes |= kUnusable;
  return out;
}

bool has_lapic(const LapicState& state) {
  return std::any_of(state.registers.begin(), state.registers.end(), [](u32 word) { return word != 0; });
}

void encode_lapic(const LapicState& state, u32 id, const LapicClock& clock, kvm_lapic_state* page) {
  for (u32 i = 0; i < state.registers.size(); ++i) {
    if (i != kVersion) put(page, i, state.registers[i]);
  }
  put(page, kId, (state.base_msr & kX2apic) != 0 ? id : id << 24);
  // KVM starts a timer whose initial count is not zero, and counts from the current one at first.
  const u64 period = u64{state.registers[kInitialCount]} * divisor(state.registers[kDivide]) * clock.ns_per_cycle;
  const bool counts = (state.registers[kLvtTimer] & kTimerMode) != kTscDeadline && state.timer_initial_ns != 0;
  if (!counts || period == 0) {
    put(page, kInitialCount, 0);
    put(page, kCurrentCount, 0);
    return;
  }
  const u64 left = state.timer_initial_ns > clock.guest_ns ? state.timer_initial_ns - clock.guest_ns : 0;
  const u64 cycles = std::min(left, period) / (divisor(state.registers[kDivide]) * clock.ns_per_cycle);
  put(page, kCurrentCount, static_cast<u32>(std::max<u64>(cycles, 1)));
}

LapicState decode_lapic(const kvm_lapic_state& page, const LapicClock& clock) {
  LapicState out;
  for (u32 i = 0; i < out.registers.size(); ++i) {
    std::memcpy(&out.registers[i], page.regs + i * kRegisterBytes, sizeof(u32));
  }
  const u64 left = u64{out.registers[kCurrentCount]} * divisor(out.registers[kDivide]) * clock.ns_per_cycle;
  const bool counts = (out.registers[kLvtTimer] & kTimerMode) != kTscDeadline && left != 0;
  if (counts) out.timer_initial_ns = clock.guest_ns + left;
  return out;
}

bool has_run_down(const LapicState& state) {
  return (state.registers[kLvtTimer] & kTimerMode) == kOneShot && state.registers[kInitialCount] != 0 &&
         state.timer_initial_ns == 0;
}

// KVM's clock and the guest's may drift apart, so where the count tells, it decides.
bool has_expired(const LapicState& state, u64 due_ns, u64 guest_ns) {
  if (due_ns == 0) return false;
  const bool one_shot = (state.registers[kLvtTimer] & kTimerMode) == kOneShot;
  return one_shot ? state.timer_initial_ns == 0 : guest_ns >= due_ns;
}

void request_timer_interrupt(LapicState* state) {
  const u32 timer = state->registers[kLvtTimer];
  if ((timer & kMasked) != 0) return;
  const u32 vector = timer & kVector, word = vector / 32, mask = 1U << (vector % 32);
  state->registers[kIrr + word] |= mask;
  state->registers[kTmr + word] &= ~mask;  // edge-triggered
}

void put_back_interrupt(u8 vector, LapicState* state) {
  const u32 word = vector / 32, mask = 1U << (vector % 32);
  if ((state->registers[kIsr + word] & mask) == 0) return;
  state->registers[kIsr + word] &= ~mask;
  state->registers[kIrr + word] |= mask;
}

}  // namespace pileus::engine::kvm
