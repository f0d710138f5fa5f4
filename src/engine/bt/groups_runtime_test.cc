// How C++ code goes on where accesses rely on what one before them has found.
#include "engine/bt/runtime.h"
#include "engine/bt/test_machine.h"
#include "engine/bt/tlb.h"

namespace pileus::engine::bt {
namespace {

class GroupsRuntimeTest : public TestMachine {
 protected:
  static constexpr u64 kCode = 0x100000, kPage = 0x5000, kDevice = 0x6000;
  static constexpr unsigned kRbx = 3, kRsp = 4, kRsi = 6;
  static constexpr u8 kUsable = kUsableSse | kUsableAvx;

  // The block of `code`, which the vCPU is about to run.
  const Block* prepare(const std::vector<u8>& code) {
    start(1);
    enter_long_mode();
    identity_map();
    map(kDevice, 0xD0000000, 3);
    EXPECT_TRUE(memory->write(kCode, code));
    vm->enter_running();
    Context& c = cpu();
    c.rip = c.vpage = kCode;
    c.cr4 |= 1U << 9 | 1U << 18;  // OSFXSR, OSXSAVE
    c.xcr0 = 7;
    c.usable = kUsable;
    return get_block(c, {kCode, kModeKernel, kUsable}, false);
  }
  void TearDown() override { vm->leave_running(); }

  const Block* without_groups() { return vm->code().find(BlockKey{kCode, kModeKernel, kUsable, true}.packed()); }
  Site site(const Block& block, u16 index, u8 size, u8 flag) {
    return {vm->code().reference(block), index, size, flag};
  }
  static const u8* code_of(const Block* block, unsigned index) {
    return block == nullptr ? nullptr : block->host + block->marks()[index].host_offset;
  }

  const Callouts callouts = runtime_callouts();
  // mov rax, [rbx]; mov rdx, [rsi]; mov rcx, [rbx + 8]; ret
  const std::vector<u8> around{0x48, 0x8B, 0x03, 0x48, 0x8B, 0x16, 0x48, 0x8B, 0x4B, 0x08, 0xC3};
};

TEST_F(GroupsRuntimeTest, AfterAFillInside) {
  const Block* block = prepare(around);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->inside, 0b110U);
  const Site at = site(*block, 1, 8, 0);
  const u8* next = callouts.memory(&cpu(), &at, kPage);
  ASSERT_NE(without_groups(), nullptr);
  EXPECT_EQ(without_groups()->inside, 0U);
  EXPECT_EQ(next, code_of(without_groups(), 1));
  EXPECT_EQ(cpu().rip, kCode + 3);
}

TEST_F(GroupsRuntimeTest, BehindWhatTheInterpreterDidInside) {
  const Block* block = prepare(around);
  ASSERT_NE(block, nullptr);
  cpu().gpr[kRsi] = kDevice;
  const Site at = site(*block, 1, 8, 0);
  const u8* next = callouts.memory(&cpu(), &at, kDevice);
  ASSERT_NE(without_groups(), nullptr);
  EXPECT_EQ(next, code_of(without_groups(), 2));
  EXPECT_EQ(cpu().rip, kCode + 6);
}

TEST_F(GroupsRuntimeTest, OutsideTheBlockGoesOn) {
  const Block* block = prepare({0x48, 0x8B, 0x16, 0x48, 0x8B, 0x03, 0xC3});  // mov rdx, [rsi]; mov rax, [rbx]; ret
  ASSERT_NE(block, nullptr);
  const Site at = site(*block, 0, 8, 0);
  EXPECT_EQ(callouts.memory(&cpu(), &at, kPage), code_of(block, 0));
  cpu().gpr[kRsi] = kDevice;
  EXPECT_EQ(callouts.memory(&cpu(), &at, kDevice), code_of(block, 1));
  EXPECT_EQ(without_groups(), nullptr);
}

TEST_F(GroupsRuntimeTest, OnOnePageTheEntryIsFilled) {
  const Block* block = prepare(around);
  ASSERT_NE(block, nullptr);
  const Site at = site(*block, 0, 16, 0);
  EXPECT_EQ(tlb_lookup(cpu().tlb[kModeKernel][0], kPage, 1), nullptr);
  EXPECT_EQ(callouts.fast_group(&cpu(), &at, kPage + 4096 - 16), code_of(block, 0));
  EXPECT_NE(tlb_lookup(cpu().tlb[kModeKernel][0], kPage, 1), nullptr);
}

TEST_F(GroupsRuntimeTest, OnTwoPagesItIsLeft) {
  const Block* block = prepare(around);
  ASSERT_NE(block, nullptr);
  const Site at = site(*block, 0, 16, 0);
  const u64 address = kPage + 4096 - 15;
  EXPECT_EQ(callouts.fast_group(&cpu(), &at, address), nullptr);
  // Even when an interrupt waits: the instruction may be the one behind STI.
  cpu().irq_waiting = 1;
  cpu().if_flag = 1;
  const u8* next = callouts.group(&cpu(), &at, address);
  ASSERT_NE(without_groups(), nullptr);
  EXPECT_EQ(next, code_of(without_groups(), 0));
  EXPECT_EQ(callouts.fast_group(&cpu(), &at, address), next);
}

TEST_F(GroupsRuntimeTest, OnADeviceOrAMissingPageItIsLeft) {
  const Block* block = prepare(around);
  ASSERT_NE(block, nullptr);
  const Site at = site(*block, 0, 16, 0);
  map(kPage, 0, 0);
  for (const u64 address : {kDevice, kPage, u64{1} << 62}) {
    EXPECT_EQ(callouts.fast_group(&cpu(), &at, address), nullptr) << address;
    const u8* next = callouts.group(&cpu(), &at, address);
    ASSERT_NE(without_groups(), nullptr);
    EXPECT_EQ(next, code_of(without_groups(), 0)) << address;
    EXPECT_EQ(cpu().rip, kCode) << address;
  }
}

TEST_F(GroupsRuntimeTest, TheStackHasToBeAligned) {
  const Block* block = prepare({0x58, 0x5A, 0xC3});  // pop rax; pop rdx; ret
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->inside, 0b110U);
  const Site at = site(*block, 0, 24, kSiteStack);
  EXPECT_EQ(callouts.fast_group(&cpu(), &at, kPage + 8), code_of(block, 0));
  EXPECT_EQ(cpu().tlb[kModeKernel][0].stack.neg_tag, ~kPage + 1);
  EXPECT_EQ(callouts.fast_group(&cpu(), &at, kPage + 4), nullptr);
  const u8* next = callouts.group(&cpu(), &at, kPage + 4);
  ASSERT_NE(without_groups(), nullptr);
  EXPECT_EQ(next, code_of(without_groups(), 0));
}

TEST_F(GroupsRuntimeTest, TheWayFromThereLeadsToBlocksWithGroups) {
  prepare({0x48, 0x8B, 0x03, 0x48, 0x8B, 0x4B, 0x08, 0xEB, 0x10});  // mov rax, [rbx]; mov rcx, [rbx + 8]; jmp +16
  const Block* block = get_block(cpu(), {kCode, kModeKernel, kUsable, true}, false);
  ASSERT_NE(block, nullptr);
  const Site exit = site(*block, 25, kModeKernel, 0);
  const u8* next = callouts.link(&cpu(), &exit, 0);
  const Block* to = vm->code().find(BlockKey{kCode + 25, kModeKernel, kUsable}.packed());
  EXPECT_EQ(next, code_of(to, 0));
}

}  // namespace
}  // namespace pileus::engine::bt
