#include "engine/bt/spaces.h"

#include "engine/bt/code_pages.h"
#include "engine/bt/mmu.h"
#include "engine/bt/system.h"
#include "engine/bt/test_machine.h"
#include "engine/bt/tlb.h"

namespace pileus::engine::bt {
namespace {

constexpr u64 kP = 1, kW = 2, kU = 4, kG = 0x100;
constexpr u64 kKeep = u64{1} << 63;
constexpr u64 kPage = 0x5000, kFrame = 0x7000;

// Two PCIDs over the same tables: what is found in the TLBs is what counts.
class SpacesTest : public TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    enter_long_mode();
    cpu().cr4 |= 1U << 17;
    map(kPage, kFrame, kP | kW | kU);
  }
  void fill(u64 va, Access access, Mode mode) {
    bool filled = false;
    ASSERT_TRUE(fill_tlb(cpu(), va, access, mode, &filled));
    ASSERT_TRUE(filled);
  }
  bool hits(u64 va, Mode mode, bool write = false) {
    return tlb_lookup(cpu().tlb[mode][write ? 1 : 0], va, 1) != nullptr;
  }
  void go(u64 pcid, u64 keep = kKeep) { ASSERT_TRUE(write_cr(cpu(), 3, kPml4 | pcid | keep)); }
  void jump_to(u64 rip, u64 host) {
    cpu().rip = rip;
    cpu().vpage = rip & ~kPageMask;
    remember_jump(cpu(), host, kModeUser);
  }
  void drop_code() {
    vm->enter_running();
    vm->flush_code(cpu());
    vm->leave_running();
  }
  // What the cached jump to `rip` leads to; 0: there is none for this space.
  u64 jump_at(u64 rip) {
    const JumpCache& cache = cpu().jump[1];
    const u64 slot = jump_slot(rip), host = cache.host[slot];
    const bool ours = ~cache.key[slot] == ((rip & ~kPageMask) | cpu().jump_tag);
    return ours && host != cpu().no_jump ? host : 0;
  }
};

TEST_F(SpacesTest, EntriesComeBackWithTheirPcid) {
  fill(kPage, Access::kRead, kModeUser);
  fill(kPage, Access::kWrite, kModeKernelAc);
  go(1);
  EXPECT_FALSE(hits(kPage, kModeUser));
  EXPECT_FALSE(hits(kPage, kModeKernelAc, true));
  go(0);
  EXPECT_TRUE(hits(kPage, kModeUser));
  EXPECT_TRUE(hits(kPage, kModeKernelAc, true));
  EXPECT_FALSE(hits(kPage, kModeUser, true));
  EXPECT_EQ(cpu().stats.spaces_kept, 1U);
}

TEST_F(SpacesTest, ThoseOfManyPagesTooAsFarAsTheLogReaches) {
  for (u64 page = 0; page < 300; ++page) {
    map(page << 12, kFrame, kP | kW | kU);
    fill(page << 12, Access::kRead, kModeUser);
  }
  go(1);
  for (u64 page = 0; page < 300; ++page) EXPECT_FALSE(hits(page << 12, kModeUser));
  go(0);
  EXPECT_TRUE(hits(u64{299} << 12, kModeUser));
  EXPECT_TRUE(hits(u64{200} << 12, kModeUser));
}

TEST_F(SpacesTest, GlobalPagesStay) {
  map(0x6000, 0x8000, kP | kW | kG);
  fill(0x6000, Access::kRead, kModeKernel);
  fill(0x6000, Access::kRead, kModeKernelAc);
  go(1);
  EXPECT_TRUE(hits(0x6000, kModeKernel));
  EXPECT_TRUE(hits(0x6000, kModeKernelAc));
}

TEST_F(SpacesTest, GlobalPagesStayWhenTheLogHasForgottenSome) {
  map(0x1F0000, 0x8000, kP | kW | kG);
  for (const bool write : {false, true}) fill(0x1F0000, write ? Access::kWrite : Access::kRead, kModeKernel);
  for (u64 page = 0; page < 300; ++page) {
    map(page << 12, kFrame, kP | kW);
    fill(page << 12, Access::kRead, kModeKernel);
  }
  go(1);
  for (u64 page = 0; page < 300; ++page) EXPECT_FALSE(hits(page << 12, kModeKernel)) << page;
  EXPECT_TRUE(hits(0x1F0000, kModeKernel));
  EXPECT_TRUE(hits(0x1F0000, kModeKernel, true));
  flush_tlb_all(cpu());
  EXPECT_FALSE(hits(0x1F0000, kModeKernel));
}

TEST_F(SpacesTest, WhatBecameGlobalOnTheSamePageStays) {
  fill(kPage, Access::kRead, kModeKernelAc);
  flush_tlb_page(cpu(), kPage);
  map(kPage, kFrame, kP | kW | kU | kG);
  fill(kPage, Access::kRead, kModeKernelAc);
  for (u64 page = 0x10; page < 300; ++page) {
    map(page << 12, kFrame, kP | kW | kU);
    fill(page << 12, Access::kRead, kModeKernelAc);
  }
  go(1);
  EXPECT_TRUE(hits(kPage, kModeKernelAc));
  EXPECT_FALSE(hits(0x10000, kModeKernelAc));
}

TEST_F(SpacesTest, NothingIsLeftWithoutBit63) {
  fill(kPage, Access::kRead, kModeUser);
  go(1);
  go(0, 0);
  EXPECT_FALSE(hits(kPage, kModeUser));
  fill(kPage, Access::kRead, kModeUser);
  go(0, 0);
  EXPECT_FALSE(hits(kPage, kModeUser));
}

TEST_F(SpacesTest, InvlpgIsRemembered) {
  fill(kPage, Access::kRead, kModeUser);
  flush_tlb_page(cpu(), kPage);
  go(1);
  go(0);
  EXPECT_FALSE(hits(kPage, kModeUser));
}

TEST_F(SpacesTest, PagesWithCodeAreNotWrittenWhenASpaceComesBack) {
  fill(kPage, Access::kWrite, kModeUser);
  go(1);
  flush_tlb_writes_to(cpu(), memory->host(kFrame, 1));
  go(0);
  EXPECT_FALSE(hits(kPage, kModeUser, true));
}

TEST_F(SpacesTest, OneOfManySpacesIsForgottenAndNoOtherTakenForIt) {
  fill(kPage, Access::kRead, kModeUser);
  for (u64 pcid = 1; pcid < 20; ++pcid) {
    go(pcid);
    EXPECT_FALSE(hits(kPage, kModeUser)) << pcid;
  }
  go(0);
  EXPECT_FALSE(hits(kPage, kModeUser));
}

TEST_F(SpacesTest, AllAreForgottenWithTheRest) {
  fill(kPage, Access::kRead, kModeUser);
  go(1);
  flush_tlb_all(cpu());
  go(0);
  EXPECT_FALSE(hits(kPage, kModeUser));
}

TEST_F(SpacesTest, JumpsBelongToTheirSpace) {
  jump_to(kPage, 0x1234);
  EXPECT_EQ(jump_at(kPage), 0x1234U);
  go(1);
  EXPECT_EQ(jump_at(kPage), 0U);
  constexpr u64 kFirst = 0x100000, kApart = 24, kCount = 400;  // many, but in slots of their own
  for (u64 i = 0; i < kCount; ++i) jump_to(kFirst + i * kApart, i + 1);
  go(0);
  EXPECT_EQ(jump_at(kPage), 0x1234U);
  EXPECT_EQ(jump_at(kFirst), 0U);
  go(1);
  for (u64 i = 0; i < kCount; ++i) ASSERT_EQ(jump_at(kFirst + i * kApart), i + 1) << "as many as there are";
  go(0, 0);
  EXPECT_EQ(jump_at(kPage), 0U);
}

TEST_F(SpacesTest, FlushesForgetJumps) {
  jump_to(kPage, 0x1234);
  flush_tlb_page(cpu(), kPage);
  EXPECT_EQ(jump_at(kPage), 0U);
  go(1);
  go(0);
  EXPECT_EQ(jump_at(kPage), 0U);
  for (const auto flush : {flush_tlb_non_global, flush_tlb_all}) {
    jump_to(kPage, 0x1234);
    flush(cpu());
    EXPECT_EQ(jump_at(kPage), 0U);
  }
  jump_to(kPage, 0x1234);
  go(1);
  forget_space(cpu(), 0);
  go(0);
  EXPECT_EQ(jump_at(kPage), 0U);
}

TEST_F(SpacesTest, AFlushedPageIsLookedForWhenItsSpaceHasComeBack) {
  jump_to(kPage, 0x1234);
  go(1);
  flush_tlb_page(cpu(), kPage);
  jump_to(kPage + 0x1000, 0x5678);
  go(0);
  EXPECT_EQ(jump_at(kPage), 0x1234U) << "INVLPG was of another space";
  flush_tlb_page(cpu(), kPage);
  EXPECT_EQ(jump_at(kPage), 0U);
}

TEST_F(SpacesTest, AFlushedGlobalPageHasNoJumpsInAnySpace) {
  map(kPage, kFrame, kP | kW | kU | kG);
  u64 gpa = 0;
  cpu().cpl = 3;
  ASSERT_TRUE(translate_code(cpu(), kPage, &gpa));
  jump_to(kPage, 0x1234);
  go(1);
  flush_tlb_page(cpu(), kPage);
  go(0);
  EXPECT_EQ(jump_at(kPage), 0U);
}

TEST_F(SpacesTest, JumpsDoNotComeBackOnceCodeWasDropped) {
  jump_to(kPage, 0x1234);
  go(1);
  drop_code();
  go(0);
  EXPECT_EQ(jump_at(kPage), 0U);
}

TEST_F(SpacesTest, NoTagIsGivenAgainWhileJumpsHaveIt) {
  go(1);
  jump_to(kPage, 0x1234);
  const u64 first = cpu().jump_tag;
  go(0);
  for (u64 i = 0; i < 3 * 4096; ++i) {
    flush_tlb_non_global(cpu());
    ASSERT_LT(cpu().jump_tag, 4096U);
    ASSERT_EQ(jump_at(kPage), 0U) << i << ", tag " << cpu().jump_tag << " of " << first;
  }
  go(1);
  EXPECT_EQ(jump_at(kPage), 0U) << "all were forgotten when the tags came to an end";
}

}  // namespace
}  // namespace pileus::engine::bt
