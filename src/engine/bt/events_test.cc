#include "engine/bt/events.h"

#include "engine/bt/mmu.h"
#include "engine/bt/system.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

constexpr u64 kCode64 = 0x00AF9B000000FFFF, kData = 0x00CF93000000FFFF, kUserCode = 0x00AFFB000000FFFF,
              kUserData = 0x00CFF3000000FFFF;
constexpr u16 kKernelCs = 8, kKernelSs = 16, kUserSs = 24 | 3, kUserCs = 32 | 3;

class EventsTest : public TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    enter_long_mode();
    identity_map();
    const u64 gdt[] = {0, kCode64, kData, kUserData, kUserCode};
    for (u64 i = 0; i < 5; ++i) poke(kGdt + 8 * i, gdt[i]);
    for (u64 vector = 0; vector < 256; ++vector) gate(static_cast<u8>(vector), 0x8E00);
    cpu().tr = {0x40, 0x8B, 0x67, kTss};
    poke(kTss + 4, u64{0x50000});   // RSP0
    poke(kTss + 36, u64{0x58000});  // IST1
    cpu().gpr[kRsp] = 0x60008;
    cpu().rip = 0x1234;
  }
  // Handlers are at 0x100000 + vector; `word` is type, DPL, P and IST of the gate.
  void gate(u8 vector, u64 word) {
    const u64 offset = 0x100000 + vector;
    poke(kIdt + vector * 16U, (offset & 0xFFFF) | u64{kKernelCs} << 16 | word << 32 | (offset >> 16 & 0xFFFF) << 48);
    poke(kIdt + vector * 16U + 8, u64{0});
  }
  void to_user() {
    cpu().cpl = 3;
    cpu().segment[kCs] = {kUserCs, 0xA0FB, 0xFFFFFFFF, 0};
    cpu().segment[kSs] = {kUserSs, 0xC0F3, 0xFFFFFFFF, 0};
    cpu().set_flags(0x202);
  }
};

TEST_F(EventsTest, ExceptionWithErrorCodeOnTheSameStack) {
  cpu().set_flags(0x202);
  cpu().raise(kVectorGp, 0x18);
  ASSERT_TRUE(deliver_fault(cpu()));
  EXPECT_EQ(cpu().rip, 0x100000U + kVectorGp);
  EXPECT_EQ(cpu().gpr[kRsp], 0x60000U - 48);
  EXPECT_EQ(peek<u64>(0x60000 - 48), 0x18U);
  EXPECT_EQ(peek<u64>(0x60000 - 40), 0x1234U);
  EXPECT_EQ(peek<u64>(0x60000 - 32), kKernelCs);
  EXPECT_EQ(peek<u64>(0x60000 - 24), 0x10202U);  // with RF
  EXPECT_EQ(peek<u64>(0x60000 - 16), 0x60008U);
  EXPECT_EQ(peek<u64>(0x60000 - 8), kKernelSs);
  EXPECT_EQ(cpu().if_flag, 0);
}

TEST_F(EventsTest, FromUserModeAndBack) {
  to_user();
  ASSERT_TRUE(deliver_interrupt(cpu(), 0x80, EventSource::kExternal));
  EXPECT_EQ(cpu().cpl, 0);
  EXPECT_EQ(cpu().gpr[kRsp], 0x50000U - 40);
  EXPECT_EQ(cpu().segment[kSs].selector, 0);
  ASSERT_TRUE(do_iret(cpu(), 64, 0));
  EXPECT_EQ(cpu().cpl, 3);
  EXPECT_EQ(cpu().rip, 0x1234U);
  EXPECT_EQ(cpu().gpr[kRsp], 0x60008U);
  EXPECT_EQ(cpu().segment[kCs].selector, kUserCs);
  EXPECT_EQ(cpu().segment[kSs].selector, kUserSs);
  EXPECT_EQ(cpu().flags(), 0x202U);
}

TEST_F(EventsTest, InterruptStackTable) {
  gate(2, 0x8E01);
  ASSERT_TRUE(deliver_interrupt(cpu(), 2, EventSource::kExternal));
  EXPECT_EQ(cpu().gpr[kRsp], 0x58000U - 40);
  EXPECT_EQ(cpu().segment[kSs].selector, kKernelSs);
}

TEST_F(EventsTest, SoftwareInterruptsNeedTheGatesPrivilege) {
  to_user();
  EXPECT_FALSE(deliver_interrupt(cpu(), 0x80, EventSource::kSoftware));
  EXPECT_EQ(cpu().fault.vector, kVectorGp);
  EXPECT_EQ(cpu().fault.error, 0x80U * 8 + 2);
  EXPECT_EQ(cpu().cpl, 3);
  gate(0x80, 0xEE00);
  EXPECT_TRUE(deliver_interrupt(cpu(), 0x80, EventSource::kSoftware));
}

TEST_F(EventsTest, PageFaultOnTheStackIsADoubleFault) {
  gate(8, 0x8E01);
  cpu().gpr[kRsp] = 0x400000;  // not mapped
  cpu().fault = {kVectorPf, true, 2, 0xDEAD000};
  ASSERT_TRUE(deliver_fault(cpu()));
  EXPECT_EQ(cpu().rip, 0x100008U);
  EXPECT_EQ(cpu().gpr[kRsp], 0x58000U - 48);
}

TEST_F(EventsTest, TripleFaultShutsDown) {
  cpu().idtr.limit = 0;
  cpu().raise(kVectorUd);
  EXPECT_FALSE(deliver_fault(cpu()));
  EXPECT_EQ(cpu().run_state, RunState::kShutdown);
}

TEST_F(EventsTest, IretRefusesANonCanonicalAddress) {
  const u64 frame[] = {u64{1} << 47, kUserCs, 0x202, 0x1000, kUserSs};
  for (u64 i = 0; i < 5; ++i) poke(0x50000 + 8 * i, frame[i]);
  cpu().gpr[kRsp] = 0x50000;
  EXPECT_FALSE(do_iret(cpu(), 64, 0));
  EXPECT_EQ(cpu().fault.vector, kVectorGp);
  EXPECT_EQ(cpu().gpr[kRsp], 0x50000U);
  EXPECT_EQ(cpu().cpl, 0);
}

TEST_F(EventsTest, SyscallAndSysret) {
  to_user();
  ASSERT_TRUE(write_msr(cpu(), 0xC0000081, u64{0x13} << 48 | u64{8} << 32));
  ASSERT_TRUE(write_msr(cpu(), 0xC0000082, 0x100500));
  ASSERT_TRUE(write_msr(cpu(), 0xC0000084, 0x47700));
  ASSERT_TRUE(do_syscall(cpu(), 0x1236));
  EXPECT_EQ(cpu().rip, 0x100500U);
  EXPECT_EQ(cpu().cpl, 0);
  EXPECT_EQ(cpu().if_flag, 0);
  EXPECT_EQ(cpu().gpr[kRcx], 0x1236U);
  EXPECT_EQ(cpu().gpr[kR11], 0x202U);
  ASSERT_TRUE(do_sysret(cpu(), 64));
  EXPECT_EQ(cpu().rip, 0x1236U);
  EXPECT_EQ(cpu().cpl, 3);
  EXPECT_EQ(cpu().segment[kCs].selector, 0x23);
  EXPECT_EQ(cpu().segment[kSs].selector, 0x1B);
  EXPECT_EQ(cpu().if_flag, 1);
}

TEST_F(EventsTest, RealMode) {
  Context& c = cpu();
  reset_context(c);
  c.segment[kCs].base = 0x1000;
  c.segment[kCs].selector = 0x100;
  c.segment[kSs].base = 0;
  c.gpr[kRsp] = 0x8000;
  c.rip = 0x10;
  c.idtr = {0, 0x3FF};
  poke<u32>(0x21 * 4, 0x20003000);
  ASSERT_TRUE(deliver_interrupt(c, 0x21, EventSource::kSoftware));
  EXPECT_EQ(c.rip, 0x3000U);
  EXPECT_EQ(c.segment[kCs].base, 0x20000U);
  ASSERT_TRUE(do_iret(c, 16, 0));
  EXPECT_EQ(c.rip, 0x10U);
  EXPECT_EQ(c.segment[kCs].selector, 0x100);
  EXPECT_EQ(c.gpr[kRsp], 0x8000U);
}

}  // namespace
}  // namespace pileus::engine::bt
