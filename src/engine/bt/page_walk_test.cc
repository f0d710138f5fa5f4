#include "engine/bt/page_walk.h"

#include "engine/bt/events.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

constexpr u64 kP = 1, kW = 2, kU = 4, kA = 0x20, kD = 0x40, kLarge = 0x80, kG = 0x100, kNx = u64{1} << 63;

class PageWalkTest : public TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    enter_long_mode();
  }
  // 0 for success, else the error code of the page fault.
  int walk(u64 va, Access access, Mode mode) {
    out = {};
    if (walk_pages(cpu(), va, access, mode, &out)) return 0;
    EXPECT_EQ(cpu().fault.vector, kVectorPf);
    EXPECT_EQ(cpu().fault.address, va);
    return static_cast<int>(cpu().fault.error) | 0x1000;
  }
  static constexpr int error(int code) { return code | 0x1000; }
  Walk out;
};

TEST_F(PageWalkTest, TranslatesAndSetsAccessedAndDirty) {
  map(0x5000, 0x7000, kP | kW);
  EXPECT_EQ(walk(0x5123, Access::kRead, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x7123U);
  EXPECT_EQ(peek<u64>(kPt + 5 * 8), 0x7000 | kP | kW | kA);
  EXPECT_EQ(peek<u64>(kPml4) & kA, kA);
  EXPECT_EQ(walk(0x5123, Access::kWrite, kModeKernel), 0);
  EXPECT_EQ(peek<u64>(kPt + 5 * 8), 0x7000 | kP | kW | kA | kD);
}

TEST_F(PageWalkTest, NotPresent) {
  EXPECT_EQ(walk(0x6000, Access::kRead, kModeKernel), error(0));
  EXPECT_EQ(walk(0x6000, Access::kWrite, kModeUser), error(2 | 4));
  EXPECT_EQ(walk(0x6000, Access::kExecute, kModeUser), error(4 | 16));
}

TEST_F(PageWalkTest, UserMayNotTouchSupervisorPages) {
  map(0x5000, 0x7000, kP | kW);
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeUser), error(1 | 4));
}

TEST_F(PageWalkTest, WriteProtectHoldsForTheKernelOnlyWithWp) {
  map(0x5000, 0x7000, kP);
  EXPECT_EQ(walk(0x5000, Access::kWrite, kModeKernel), error(1 | 2));
  cpu().cr0 &= ~u64{0x10000};
  EXPECT_EQ(walk(0x5000, Access::kWrite, kModeKernel), 0);
}

TEST_F(PageWalkTest, SmapAndSmep) {
  map(0x5000, 0x7000, kP | kW | kU);
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeKernel), error(1));
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeKernelAc), 0);
  EXPECT_EQ(walk(0x5000, Access::kExecute, kModeKernelAc), error(1 | 16));
  EXPECT_EQ(walk(0x5000, Access::kExecute, kModeUser), 0);
}

TEST_F(PageWalkTest, NoExecuteAtAnyLevelCounts) {
  map(0x5000, 0x7000, kP);
  poke(kPd, kPt | 7 | kNx);
  EXPECT_EQ(walk(0x5000, Access::kExecute, kModeKernel), error(1 | 16));
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeKernel), 0);
}

TEST_F(PageWalkTest, ReservedBits) {
  map(0x5000, 0x7000, kP | u64{1} << 46);
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeKernel), error(1 | 8));
  cpu().efer &= ~u64{0x800};
  map(0x5000, 0x7000, kP | kNx);
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeKernel), error(1 | 8));
  poke(kPd, u64{0x2000} | kP | kLarge);  // bit 13 of a 2 MiB page's address
  EXPECT_EQ(walk(0x5000, Access::kRead, kModeKernel), error(1 | 8));
}

TEST_F(PageWalkTest, LargePages) {
  poke(kPd + 8, u64{0x400000} | kP | kW | kLarge | kG);
  EXPECT_EQ(walk(0x234567, Access::kRead, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x434567U);
  EXPECT_EQ(out.page_bits, 21U);
  EXPECT_TRUE(out.global);
  poke(kPdpt + 8, u64{0} | kP | kW | kLarge);
  EXPECT_EQ(walk(0x40123456, Access::kRead, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x123456U);
  EXPECT_EQ(out.page_bits, 30U);
  EXPECT_FALSE(out.global);
}

TEST_F(PageWalkTest, NonCanonicalIsAGeneralProtectionFault) {
  EXPECT_FALSE(walk_pages(cpu(), u64{1} << 47, Access::kRead, kModeKernel, &out));
  EXPECT_EQ(cpu().fault.vector, kVectorGp);
}

TEST_F(PageWalkTest, LegacyTwoLevel) {
  Context& c = cpu();
  c.efer = 0;
  c.cr4 = 1U << 4;  // PSE
  c.cr3 = 0x30000;
  poke<u32>(0x30000 + 4, 0x31000 | 7);
  poke<u32>(0x31000 + 4 * 3, 0x8000 | 3);
  EXPECT_EQ(walk(0x403010, Access::kWrite, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x8010U);
  EXPECT_EQ(peek<u32>(0x31000 + 4 * 3), 0x8000U | 3 | kA | kD);
  poke<u32>(0x30000 + 8, 0x800000 | 0x83);
  EXPECT_EQ(walk(0x812345, Access::kRead, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x812345U);
}

TEST_F(PageWalkTest, Pae) {
  Context& c = cpu();
  c.efer = 0;
  c.cr3 = 0x30020;  // 32-byte aligned
  poke<u64>(0x30020 + 8, 0x31000 | 1);
  poke<u64>(0x31000, 0x32000 | 7);
  poke<u64>(0x32000 + 8, 0x9000 | 3);
  EXPECT_EQ(walk(0x40001004, Access::kRead, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x9004U);
}

TEST_F(PageWalkTest, WithoutPagingAddressesAreThemselves) {
  cpu().cr0 = 0x11;
  cpu().efer = 0;
  EXPECT_EQ(walk(0x123456, Access::kWrite, kModeKernel), 0);
  EXPECT_EQ(out.gpa, 0x123456U);
}

}  // namespace
}  // namespace pileus::engine::bt
