#include "engine/kvm/state_format.h"

#include <gtest/gtest.h>

#include <cstring>

namespace pileus::engine::kvm {
namespace {

constexpr u32 kIsr = 0x10, kIrr = 0x20, kLvtTimer = 0x32, kInitial = 0x38, kCurrent = 0x39, kDivide = 0x3E;
constexpr u32 kOneShot = 0x40, kPeriodic = 0x20040, kDeadline = 0x40040, kByOne = 0xB;
constexpr u64 kX2apic = 0xFEE00C00;

u32 word(const kvm_lapic_state& page, u32 index) {
  u32 value = 0;
  std::memcpy(&value, page.regs + index * 16, sizeof value);
  return value;
}

TEST(KvmState, SegmentsComeBack) {
  // 64-bit code, data of CPL 3, a busy TSS, one that is unusable.
  for (const u32 attributes : {0xA09BU, 0xC0F3U, 0x8BU, 0x10000U}) {
    const Segment before{0x23, attributes, 0xFFFFF, 0x123456789000};
    const Segment after = decode_segment(encode_segment(before));
    EXPECT_EQ(after.selector, before.selector);
    EXPECT_EQ(after.attributes, before.attributes);
    EXPECT_EQ(after.limit, before.limit);
    EXPECT_EQ(after.base, before.base);
  }
  const kvm_segment code = encode_segment({0x08, 0xA09B, ~0U, 0});
  EXPECT_EQ(code.type, 11);
  EXPECT_EQ(code.s, 1);
  EXPECT_EQ(code.present, 1);
  EXPECT_EQ(code.l, 1);
  EXPECT_EQ(code.g, 1);
}

LapicState timer(u32 lvt, u32 initial, u64 due_ns) {
  LapicState state;
  state.registers[kLvtTimer] = lvt;
  state.registers[kInitial] = initial;
  state.registers[kDivide] = kByOne;
  state.timer_initial_ns = due_ns;
  return state;
}

TEST(KvmState, ARunningTimerGoesOnWhereItWas) {
  for (const u32 lvt : {kOneShot, kPeriodic}) {
    kvm_lapic_state page{};
    encode_lapic(timer(lvt, 1000, 50'000), 0, {.guest_ns = 20'000, .ns_per_cycle = 100}, &page);
    EXPECT_EQ(word(page, kInitial), 1000U);
    EXPECT_EQ(word(page, kCurrent), 300U);
    const LapicState back = decode_lapic(page, {.guest_ns = 120'000, .ns_per_cycle = 100});
    EXPECT_EQ(back.timer_initial_ns, 150'000U);
  }
}

TEST(KvmState, ATimerThatIsDueFiresSoon) {
  kvm_lapic_state page{};
  encode_lapic(timer(kOneShot, 1000, 10'000), 0, {.guest_ns = 20'000, .ns_per_cycle = 100}, &page);
  EXPECT_EQ(word(page, kCurrent), 1U);
}

// KVM would start any whose initial count is not zero.
TEST(KvmState, ATimerThatHasFiredStaysSo) {
  kvm_lapic_state page{};
  encode_lapic(timer(kOneShot, 1000, 0), 0, {.guest_ns = 20'000, .ns_per_cycle = 100}, &page);
  EXPECT_EQ(word(page, kInitial), 0U);
  EXPECT_EQ(decode_lapic(page, {.guest_ns = 1, .ns_per_cycle = 100}).timer_initial_ns, 0U);
}

TEST(KvmState, ADeadlineIsNoCount) {
  kvm_lapic_state page{};
  encode_lapic(timer(kDeadline, 0, 0), 0, {.guest_ns = 20'000, .ns_per_cycle = 100}, &page);
  EXPECT_EQ(decode_lapic(page, {.guest_ns = 1, .ns_per_cycle = 100}).timer_initial_ns, 0U);
}

TEST(KvmState, ACountThatWasToEndHasEnded) {
  const LapicState spent = timer(kOneShot, 1000, 0), counts = timer(kOneShot, 1000, 70'000);
  EXPECT_TRUE(has_run_down(spent));
  EXPECT_FALSE(has_run_down(counts));
  EXPECT_FALSE(has_run_down(timer(kOneShot, 0, 0)));  // was never started
  EXPECT_FALSE(has_run_down(timer(kDeadline, 1000, 0)));
  EXPECT_TRUE(has_expired(spent, 60'000, 60'000));
  EXPECT_TRUE(has_expired(spent, 60'000, 59'999));  // the clocks are two
  EXPECT_FALSE(has_expired(counts, 60'000, 60'001));
  EXPECT_FALSE(has_expired(spent, 0, 60'000));  // nothing counted before
  EXPECT_TRUE(has_expired(timer(kPeriodic, 1000, 160'000), 60'000, 60'000));
  EXPECT_FALSE(has_expired(timer(kPeriodic, 1000, 60'000), 60'000, 59'999));
}

TEST(KvmState, AMaskedTimerRequestsNothing) {
  constexpr u32 kMasked = 1U << 16, kTmr = 0x18;
  LapicState state = timer(kOneShot | kMasked, 1000, 0);
  request_timer_interrupt(&state);
  EXPECT_EQ(state.registers[kIrr + 2], 0U);
  state.registers[kLvtTimer] = kOneShot;
  state.registers[kTmr + 2] = 3;
  request_timer_interrupt(&state);
  EXPECT_EQ(state.registers[kIrr + 2], 1U);
  EXPECT_EQ(state.registers[kTmr + 2], 2U);
}

TEST(KvmState, TheApicIdIsTheVcpus) {
  kvm_lapic_state page{};
  LapicState state;
  state.registers[2] = 77;
  encode_lapic(state, 5, {}, &page);
  EXPECT_EQ(word(page, 2), 5U << 24);
  state.base_msr = kX2apic;
  encode_lapic(state, 5, {}, &page);
  EXPECT_EQ(word(page, 2), 5U);
}

TEST(KvmState, AnAcceptedInterruptIsRequestedAgain) {
  LapicState state;
  state.registers[kIsr + 2] = 1U << 1 | 1U << 5;
  put_back_interrupt(65, &state);
  EXPECT_EQ(state.registers[kIsr + 2], 1U << 5);
  EXPECT_EQ(state.registers[kIrr + 2], 1U << 1);
  put_back_interrupt(200, &state);  // was not in service: an external interrupt that bypassed the APIC
  EXPECT_EQ(state.registers[kIrr + 6], 0U);
}

}  // namespace
}  // namespace pileus::engine::kvm
