#include "engine/bt/tlb.h"

#include "engine/bt/code_pages.h"
#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

constexpr u64 kP = 1, kW = 2, kU = 4, kLarge = 0x80, kG = 0x100;

class TlbTest : public TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    enter_long_mode();
  }
  bool fill(u64 va, Access access, Mode mode) {
    bool filled = false;
    EXPECT_TRUE(fill_tlb(cpu(), va, access, mode, &filled));
    return filled;
  }
  bool hits(u64 va, Mode mode, bool write = false) {
    return tlb_lookup(cpu().tlb[mode][write ? 1 : 0], va, 1) != nullptr;
  }
};

TEST_F(TlbTest, EmptyTlbHitsNothing) {
  for (u64 page = 0; page < 2 * kTlbSize; ++page) EXPECT_FALSE(hits(page << 12, kModeKernel));
}

// The probe where flags are live asks only whether the last byte is on the entry's page.
TEST_F(TlbTest, NorWithAnAccessThatEndsOnTheNextPage) {
  const Tlb& tlb = cpu().tlb[kModeKernel][0];
  for (u64 page = 0; page < 2 * kTlbSize; ++page) {
    EXPECT_GE((page << 12) + 4096 + tlb.neg_tag[page % kTlbSize], 4096U) << page;
  }
}

TEST_F(TlbTest, FillThenHit) {
  map(0x5000, 0x7000, kP | kW);
  ASSERT_TRUE(fill(0x5008, Access::kRead, kModeKernel));
  EXPECT_EQ(tlb_lookup(cpu().tlb[kModeKernel][0], 0x5008, 8), memory->host(0x7008, 8));
  EXPECT_EQ(tlb_lookup(cpu().tlb[kModeKernel][0], 0x5FF8, 8), memory->host(0x7FF8, 8));
  EXPECT_EQ(tlb_lookup(cpu().tlb[kModeKernel][0], 0x5FF9, 8), nullptr);
  EXPECT_FALSE(hits(0x5008, kModeKernel, true));
  EXPECT_FALSE(hits(0x5008, kModeUser));
}

TEST_F(TlbTest, PagesWithCodeAreNotWritable) {
  map(0x5000, 0x7000, kP | kW);
  vm->pages().add(0x7040, 4);
  EXPECT_FALSE(fill(0x5000, Access::kWrite, kModeKernel));
  EXPECT_TRUE(fill(0x5000, Access::kRead, kModeKernel));
  vm->pages().set(0x7000, 0);
  EXPECT_TRUE(fill(0x5000, Access::kWrite, kModeKernel));
  EXPECT_TRUE(vm->pages().take_writable(0x7000));
  flush_tlb_writes_to(cpu(), memory->host(0x7000, 1));
  EXPECT_FALSE(hits(0x5000, kModeKernel, true));
  EXPECT_TRUE(hits(0x5000, kModeKernel));
}

TEST_F(TlbTest, Cr3WriteKeepsGlobalKernelPages) {
  map(0x5000, 0x7000, kP | kW | kG);
  map(0x6000, 0x8000, kP | kW | kU);
  fill(0x5000, Access::kRead, kModeKernel);
  fill(0x6000, Access::kRead, kModeUser);
  fill(0x6000, Access::kRead, kModeKernelAc);
  flush_tlb_non_global(cpu());
  EXPECT_TRUE(hits(0x5000, kModeKernel));
  EXPECT_FALSE(hits(0x6000, kModeUser));
  EXPECT_FALSE(hits(0x6000, kModeKernelAc));
}

TEST_F(TlbTest, Cr3WriteDropsNonGlobalKernelPages) {
  map(0x5000, 0x7000, kP | kW);
  fill(0x5000, Access::kRead, kModeKernel);
  flush_tlb_non_global(cpu());
  EXPECT_FALSE(hits(0x5000, kModeKernel));
}

TEST_F(TlbTest, InvlpgOfASmallPage) {
  map(0x5000, 0x7000, kP | kG);
  map(0x6000, 0x8000, kP | kG);
  fill(0x5000, Access::kRead, kModeKernel);
  fill(0x6000, Access::kRead, kModeKernel);
  flush_tlb_page(cpu(), 0x5123);
  EXPECT_FALSE(hits(0x5000, kModeKernel));
  EXPECT_TRUE(hits(0x6000, kModeKernel));
}

TEST_F(TlbTest, InvlpgOfALargePageDropsAllOfIt) {
  map(0x5000, 0x7000, kP | kG);
  poke(kPd + 8, u64{0x400000} | kP | kW | kLarge | kG);
  fill(0x5000, Access::kRead, kModeKernel);
  fill(0x201000, Access::kRead, kModeKernel);
  fill(0x3FF000, Access::kRead, kModeKernel);
  flush_tlb_page(cpu(), 0x280000);
  EXPECT_FALSE(hits(0x201000, kModeKernel));
  EXPECT_FALSE(hits(0x3FF000, kModeKernel));
  EXPECT_TRUE(hits(0x5000, kModeKernel));
}

TEST_F(TlbTest, InvlpgOfAHugePageDropsAllOfIt) {
  poke(kPdpt + 8, u64{0} | kP | kW | kLarge | kG);
  fill(0x40001000, Access::kRead, kModeKernel);
  fill(0x40F02000, Access::kRead, kModeKernel);
  flush_tlb_page(cpu(), 0x7FFFF000);
  EXPECT_FALSE(hits(0x40001000, kModeKernel));
  EXPECT_FALSE(hits(0x40F02000, kModeKernel));
}

// What runs on a page relies on its mapping: INVLPG of that page forgets it, of others leaves it alone.
TEST_F(TlbTest, InvlpgForgetsWhatRanOnThePage) {
  Context& c = cpu();
  constexpr u64 kHost = 0x1234;
  const auto run_on = [&](u64 rip) {
    c.rip = rip;
    c.vpage = rip & ~kPageMask;
    remember_jump(c, kHost, kModeKernel);
    c.returns.rsp = c.returns.base[0] - kReturnFrame;
  };
  const auto is_there = [&](u64 rip) {
    EXPECT_EQ(c.returns.rsp != c.returns.base[0], c.jump[0].host[jump_slot(rip)] == kHost);
    return c.returns.rsp != c.returns.base[0];
  };
  constexpr u64 kUpper = 0xFFFFFFFF80000000;
  run_on(0x5008);
  flush_tlb_page(c, 0x6008);
  EXPECT_TRUE(is_there(0x5008));
  flush_tlb_page(c, kUpper | 0x5008);  // the same bits of the filter but for the half
  EXPECT_TRUE(is_there(0x5008));
  flush_tlb_page(c, 0x5123);
  EXPECT_FALSE(is_there(0x5008));
  flush_tlb_all(c);  // what ran on pages of the lower half, too
  run_on(kUpper | 0x5008);
  flush_tlb_page(c, 0x5008);
  EXPECT_TRUE(is_there(kUpper | 0x5008));
  flush_tlb_page(c, kUpper | 0x5FFF);
  EXPECT_FALSE(is_there(kUpper | 0x5008));
}

// Code of kModeKernelAc has no jumps in the cache, but returns.
TEST_F(TlbTest, InvlpgForgetsReturnsToCodeWithAcSet) {
  Context& c = cpu();
  c.rip = 0x5008;
  note_code_page(c, kModeKernelAc);
  c.returns.rsp = c.returns.base[0] - kReturnFrame;
  flush_tlb_page(c, 0x5008);
  EXPECT_EQ(c.returns.rsp, c.returns.base[0]);
}

TEST_F(TlbTest, AccessAcrossPagesChecksBothFirst) {
  map(0x5000, 0x7000, kP | kW);
  u64 value = 0x1122334455667788;
  EXPECT_FALSE(write_memory(cpu(), 0x5FFC, &value, 8, kModeKernel));
  EXPECT_EQ(cpu().fault.vector, kVectorPf);
  EXPECT_EQ(cpu().fault.address, 0x6000U);
  EXPECT_EQ(peek<u32>(0x7FFC), 0U);
  map(0x6000, 0x9000, kP | kW);
  EXPECT_TRUE(write_memory(cpu(), 0x5FFC, &value, 8, kModeKernel));
  EXPECT_EQ(peek<u32>(0x7FFC), 0x55667788U);
  EXPECT_EQ(peek<u32>(0x9000), 0x11223344U);
  u64 back = 0;
  EXPECT_TRUE(read_memory(cpu(), 0x5FFC, &back, 8, kModeKernel));
  EXPECT_EQ(back, value);
}

}  // namespace
}  // namespace pileus::engine::bt
