#include "engine/bt/lapic.h"

#include "engine/bt/events.h"
#include "engine/bt/host_tsc.h"
#include "engine/bt/paravirt.h"
#include "engine/bt/system.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

constexpr u32 kTpr = 8, kEoi = 0xB, kSvr = 0xF, kIcr = 0x30, kLvtTimer = 0x32, kInitialCount = 0x38, kDivide = 0x3E;
constexpr u64 kMicrosecond = 1000;

class LapicTest : public TestMachine {
 protected:
  void SetUp() override {
    start(3);
    for (u32 id = 0; id < 3; ++id) {
      ASSERT_TRUE(apic(id).set_base_msr(apic(id).base_msr() | 0x400));
      ASSERT_TRUE(apic(id).write(kSvr, 0x1FF));
    }
  }
  Lapic& apic(u32 id = 0) { return *cpu(id).lapic; }
  std::vector<u32> receivers() {
    std::vector<u32> out;
    for (u32 id = 0; id < 3; ++id) {
      if (apic(id).pending()) out.push_back(id);
    }
    return out;
  }
};

TEST_F(LapicTest, HigherPriorityNestsAndLowerWaits) {
  apic().post(Delivery::kFixed, 0x41, false);
  EXPECT_EQ(apic().pending(), 0x41);
  apic().accept(0x41);
  EXPECT_FALSE(apic().pending());
  apic().post(Delivery::kFixed, 0x45, false);  // same class
  EXPECT_FALSE(apic().pending());
  apic().post(Delivery::kFixed, 0x51, false);
  EXPECT_EQ(apic().pending(), 0x51);
  apic().accept(0x51);
  apic().eoi();
  apic().eoi();
  EXPECT_EQ(apic().pending(), 0x45);
}

TEST_F(LapicTest, TaskPriorityHoldsBack) {
  apic().post(Delivery::kFixed, 0x41, false);
  ASSERT_TRUE(apic().write(kTpr, 0x40));
  EXPECT_FALSE(apic().pending());
  ASSERT_TRUE(apic().write(kTpr, 0x30));
  EXPECT_EQ(apic().pending(), 0x41);
}

TEST_F(LapicTest, LegacyInterruptsPassWhereLint0LetsThem) {
  constexpr u32 kLint0 = 0x35;
  apic().set_ext_int(true);
  EXPECT_FALSE(apic().ext_int_pending());  // masked after a reset
  ASSERT_TRUE(apic().write(kLint0, 0x700));
  EXPECT_TRUE(apic().ext_int_pending());
  ASSERT_TRUE(apic().write(kLint0, 0x10700));
  EXPECT_FALSE(apic().ext_int_pending());
  ASSERT_TRUE(apic().write(kLint0, 0x400));  // NMI is another mode
  EXPECT_FALSE(apic().ext_int_pending());
  ASSERT_TRUE(apic().set_base_msr(0xFEE00100));  // switched off: LINT0 is INTR
  EXPECT_TRUE(apic().ext_int_pending());
  cpu().exit_request = 0;
  apic().set_ext_int(false);
  EXPECT_FALSE(apic().ext_int_pending());
  EXPECT_EQ(cpu().exit_request, 0u);
  apic().set_ext_int(true);
  EXPECT_EQ(cpu().exit_request, 1u);
}

TEST_F(LapicTest, SwitchedOffTakesNoInterrupts) {
  ASSERT_TRUE(apic().write(kSvr, 0xFF));
  apic().post(Delivery::kFixed, 0x41, false);
  ASSERT_TRUE(apic().write(kSvr, 0x1FF));
  EXPECT_FALSE(apic().pending());
}

TEST_F(LapicTest, EndOfLevelTriggeredIsTold) {
  apic().post(Delivery::kFixed, 0x41, true);
  apic().accept(0x41);
  ASSERT_TRUE(apic().write(kEoi, 0));
  EXPECT_EQ(eoi.ended, std::vector<u8>{0x41});
  apic().post(Delivery::kFixed, 0x41, false);
  apic().accept(0x41);
  ASSERT_TRUE(apic().write(kEoi, 0));
  EXPECT_EQ(eoi.ended.size(), 1U);
}

TEST_F(LapicTest, IpiDestinations) {
  ASSERT_TRUE(apic().write(kIcr, u64{2} << 32 | 0x60));
  EXPECT_EQ(receivers(), (std::vector<u32>{2}));
  ASSERT_TRUE(apic().write(kIcr, 0x40061));  // self
  EXPECT_EQ(receivers(), (std::vector<u32>{0, 2}));
  SetUp();
  ASSERT_TRUE(apic(1).write(kIcr, 0xC0062));  // all but self
  EXPECT_EQ(receivers(), (std::vector<u32>{0, 2}));
  SetUp();
  ASSERT_TRUE(apic().write(kIcr, u64{6} << 32 | 0x860));  // logical: cluster 0, members 1 and 2
  EXPECT_EQ(receivers(), (std::vector<u32>{1, 2}));
  SetUp();
  ASSERT_TRUE(apic().write(kIcr, u64{6} << 32 | 0x960));  // lowest priority: one of them
  EXPECT_EQ(receivers().size(), 1U);
  SetUp();
  vm->deliver(0xFFFFFFFF, false, Delivery::kFixed, 0x70, false);
  EXPECT_EQ(receivers().size(), 3U);
}

TEST_F(LapicTest, StartUp) {
  EXPECT_EQ(cpu(1).run_state, RunState::kWaitForSipi);
  ASSERT_TRUE(apic().write(kIcr, u64{1} << 32 | 0x4500));  // INIT
  take_pending_events(cpu(1));
  EXPECT_EQ(cpu(1).run_state, RunState::kWaitForSipi);
  ASSERT_TRUE(apic().write(kIcr, u64{1} << 32 | 0x4699));  // SIPI
  take_pending_events(cpu(1));
  EXPECT_EQ(cpu(1).run_state, RunState::kRunning);
  EXPECT_EQ(cpu(1).segment[kCs].base, 0x99000U);
  EXPECT_EQ(cpu(1).segment[kCs].selector, 0x9900);
  EXPECT_EQ(cpu(1).rip, 0U);
  EXPECT_NE(apic(1).base_msr() & 0x400, 0U);  // INIT keeps the mode
}

TEST_F(LapicTest, DeadlineTimer) {
  ASSERT_TRUE(apic().write(kLvtTimer, 2U << 17 | 0xEC));
  apic().set_tsc_deadline(read_tsc(cpu()) + tsc_khz() * 1'000'000);  // a thousand seconds away
  const auto due = apic().run_timer(0);
  ASSERT_TRUE(due);
  EXPECT_NEAR(static_cast<double>(*due), 1e12, 1e11);
  EXPECT_FALSE(apic().pending());
  apic().set_tsc_deadline(read_tsc(cpu()) - 1);
  EXPECT_FALSE(apic().run_timer(0));
  EXPECT_EQ(apic().pending(), 0xEC);
  EXPECT_EQ(apic().tsc_deadline(), 0U);
}

TEST_F(LapicTest, PeriodicTimer) {
  ASSERT_TRUE(apic().write(kDivide, 0xB));  // by 1: 100 ns a count
  ASSERT_TRUE(apic().write(kLvtTimer, 1U << 17 | 0xEC));
  ASSERT_TRUE(apic().write(kInitialCount, 1'000'000));
  const auto first = apic().run_timer(0);
  ASSERT_TRUE(first);
  const auto second = apic().run_timer(*first + kMicrosecond);
  EXPECT_EQ(apic().pending(), 0xEC);
  EXPECT_EQ(second, *first + 100'000'000);
}

TEST_F(LapicTest, PvEoi) {
  constexpr u64 kFlag = 0x5000;
  ASSERT_TRUE(write_msr(cpu(), 0x4B564D04, kFlag | 1));
  apic().post(Delivery::kFixed, 0x41, false);
  apic().accept(0x41);
  EXPECT_EQ(peek<u32>(kFlag), 1U);
  apic().sync_pv_eoi();
  EXPECT_EQ(peek<u32>(kFlag), 1U);  // nobody waits: the offer stands
  poke<u32>(kFlag, 0);              // the guest takes it
  apic().post(Delivery::kFixed, 0x31, false);
  apic().sync_pv_eoi();
  EXPECT_EQ(apic().pending(), 0x31);
}

TEST_F(LapicTest, PvEoiIsWithdrawnWhenSomebodyWaits) {
  constexpr u64 kFlag = 0x5000;
  ASSERT_TRUE(write_msr(cpu(), 0x4B564D04, kFlag | 1));
  apic().post(Delivery::kFixed, 0x41, false);
  apic().accept(0x41);
  apic().post(Delivery::kFixed, 0x31, false);
  apic().sync_pv_eoi();
  EXPECT_EQ(peek<u32>(kFlag), 0U);
  EXPECT_FALSE(apic().pending());  // 0x41 is still in service
  ASSERT_TRUE(apic().write(kEoi, 0));
  EXPECT_EQ(apic().pending(), 0x31);
}

TEST_F(LapicTest, PvEoiIsNotOfferedWhileALowerOneWaits) {
  constexpr u64 kFlag = 0x5000;
  ASSERT_TRUE(write_msr(cpu(), 0x4B564D04, kFlag | 1));
  apic().post(Delivery::kFixed, 0x41, false);
  apic().post(Delivery::kFixed, 0x31, false);
  apic().accept(0x41);
  EXPECT_EQ(peek<u32>(kFlag), 0U);
}

}  // namespace
}  // namespace pileus::engine::bt
