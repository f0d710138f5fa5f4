#include "engine/bt/debug.h"

#include "engine/bt/code_cache.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

constexpr u64 kCode = 0x30000, kData = 0x40000;
using Kind = Breakpoint::Kind;

// 30000: mov ecx, 1000; 30005: mov [rdi], rcx; 30008: mov rax, [rdi]; 3000b: dec ecx; 3000d: jnz 30005; 3000f: hlt
constexpr std::array<u8, 16> kLoop{0xB9, 0xE8, 0x03, 0,    0,    0x48, 0x89, 0x0F,
                                   0x48, 0x8B, 0x07, 0xFF, 0xC9, 0x75, 0xF6, 0xF4};

class DebugTest : public TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    enter_long_mode();
    identity_map();
    ASSERT_TRUE(memory->write(kCode, kLoop));
    cpu().rip = kCode;
    cpu().gpr[kRdi] = kData;
  }
  Exit run(const DebugSettings& settings) {
    EXPECT_TRUE(vcpus[0]->set_debug(settings).ok());
    return vcpus[0]->run();
  }
  static DebugSettings at(Kind kind, u64 address, u64 length = 1) { return {false, {{kind, address, length}}}; }
};

TEST_F(DebugTest, StopsBeforeTheInstruction) {
  const Exit exit = run(at(Kind::kExecute, kCode + 11));
  EXPECT_EQ(exit.reason, ExitReason::kDebug);
  EXPECT_EQ(exit.debug.cause, DebugStop::Cause::kBreakpoint);
  EXPECT_EQ(exit.debug.breakpoint, (Breakpoint{Kind::kExecute, kCode + 11, 1}));
  EXPECT_EQ(cpu().rip, kCode + 11);
  EXPECT_EQ(cpu().gpr[kRax], 1000);
  EXPECT_EQ(peek<u8>(kCode + 11), 0xFF);  // the guest's memory is as it was
}

TEST_F(DebugTest, StopsAgainWhenNothingWasExecuted) {
  run(at(Kind::kExecute, kCode + 11));
  EXPECT_EQ(run(at(Kind::kExecute, kCode + 11)).reason, ExitReason::kDebug);
  EXPECT_EQ(cpu().gpr[kRcx], 1000);
}

TEST_F(DebugTest, StepsOverABreakpointAndMeetsItAgain) {
  for (u64 round = 1000; round > 990; --round) {
    EXPECT_EQ(run(at(Kind::kExecute, kCode + 11)).debug.cause, DebugStop::Cause::kBreakpoint);
    EXPECT_EQ(cpu().gpr[kRcx], round);
    EXPECT_EQ(run({true, {}}).debug.cause, DebugStop::Cause::kStep);
    EXPECT_EQ(cpu().rip, kCode + 13);
  }
}

TEST_F(DebugTest, FindsABreakpointInCodeThatWasTranslatedBefore) {
  run(at(Kind::kExecute, kCode + 15));
  EXPECT_GT(cpu().stats.blocks_translated, 0);
  cpu().rip = kCode;
  run(at(Kind::kExecute, kCode + 8));
  EXPECT_EQ(cpu().rip, kCode + 8);
  EXPECT_EQ(cpu().gpr[kRcx], 1000);
}

TEST_F(DebugTest, AnotherAddressAtTheSamePageOffsetIsNotMeant) {
  ASSERT_TRUE(memory->write(kCode + 0x1000, kLoop));
  cpu().rip = kCode + 0x1000;
  const Exit exit = run({false, {{Kind::kExecute, kCode + 11, 1}, {Kind::kExecute, kCode + 0x100F, 1}}});
  EXPECT_EQ(exit.debug.breakpoint.address, kCode + 0x100F);
  EXPECT_EQ(cpu().gpr[kRcx], 0);
}

TEST_F(DebugTest, SteppingOverABreakpointNeedsNoNewCode) {
  run(at(Kind::kExecute, kCode + 11));
  const u64 generation = vm->code().generation();
  run({true, {}});
  run(at(Kind::kExecute, kCode + 11));
  EXPECT_EQ(cpu().gpr[kRcx], 999);
  EXPECT_EQ(vm->code().generation(), generation);
}

TEST_F(DebugTest, StepsOneInstruction) {
  const Exit exit = run({true, {}});
  EXPECT_EQ(exit.reason, ExitReason::kDebug);
  EXPECT_EQ(exit.debug.cause, DebugStop::Cause::kStep);
  EXPECT_EQ(cpu().rip, kCode + 5);
  EXPECT_EQ(cpu().flags() & 0x100, 0);  // no trap flag that the guest could see
  run({true, {}});
  EXPECT_EQ(cpu().rip, kCode + 8);
  EXPECT_EQ(peek<u64>(kData), 1000);
}

TEST_F(DebugTest, StopsBehindAWrite) {
  const Exit exit = run(at(Kind::kWrite, kData + 4, 4));
  EXPECT_EQ(exit.debug.cause, DebugStop::Cause::kBreakpoint);
  EXPECT_EQ(exit.debug.breakpoint, (Breakpoint{Kind::kWrite, kData + 4, 1}));
  EXPECT_EQ(cpu().rip, kCode + 8);
  EXPECT_EQ(peek<u64>(kData), 1000);
}

TEST_F(DebugTest, TellsReadsFromWrites) {
  run(at(Kind::kRead, kData, 8));
  EXPECT_EQ(cpu().rip, kCode + 11);
  run(at(Kind::kAccess, kData, 8));
  EXPECT_EQ(cpu().rip, kCode + 8);
  EXPECT_EQ(cpu().gpr[kRcx], 999);
}

TEST_F(DebugTest, BytesBesideTheWatchedOnesAreNotMeant) {
  const Exit exit = run({false, {{Kind::kAccess, kData + 8, 8}, {Kind::kExecute, kCode + 15, 1}}});
  EXPECT_EQ(exit.debug.breakpoint.kind, Kind::kExecute);
  EXPECT_EQ(cpu().gpr[kRcx], 0);
}

TEST_F(DebugTest, StopsInTheMiddleOfAString) {
  ASSERT_TRUE(memory->write(kCode, std::array<u8, 3>{0xF3, 0xAA, 0xF4}));  // rep stosb; hlt
  cpu().gpr[kRcx] = 100;
  run(at(Kind::kWrite, kData + 40));
  EXPECT_EQ(cpu().rip, kCode);
  EXPECT_EQ(cpu().gpr[kRdi], kData + 41);
}

TEST_F(DebugTest, AStepThatFaultsEndsAtTheHandler) {
  ASSERT_TRUE(memory->write(kCode, std::array<u8, 2>{0x0F, 0x0B}));  // ud2
  poke(kGdt + 8, u64{0x00AF9B000000FFFF});
  const u64 handler = kCode + 0x800;
  poke(kIdt + 6 * 16, (handler & 0xFFFF) | 8 << 16 | u64{0x8E00} << 32 | (handler >> 16) << 48);
  poke(kIdt + 6 * 16 + 8, u64{0});
  cpu().gpr[kRsp] = 0x50000;
  EXPECT_EQ(run({true, {}}).debug.cause, DebugStop::Cause::kStep);
  EXPECT_EQ(cpu().rip, handler);
}

// Two kinds of instructions that translated code has ways of its own for, around which it goes in a loop.
// 30000: mov ecx, 1000; 30005: pushfq; popfq; 30007: dec ecx; 30009: jnz 30005; 3000b: hlt
TEST_F(DebugTest, StopsBeforeAnInstructionOfTheSystem) {
  ASSERT_TRUE(
      memory->write(kCode, std::array<u8, 12>{0xB9, 0xE8, 0x03, 0, 0, 0x9C, 0x9D, 0xFF, 0xC9, 0x75, 0xFA, 0xF4}));
  cpu().gpr[kRsp] = 0x50000;
  for (const u64 offset : {u64{5}, u64{6}}) {
    cpu().rip = kCode;
    run(at(Kind::kExecute, kCode + offset));
    EXPECT_EQ(cpu().rip, kCode + offset);
    EXPECT_EQ(cpu().gpr[kRcx], 1000);
  }
}

// 30ffe: mov ebx, 2; 31003: dec ecx; 31005: jnz 30ffe; 31007: hlt
TEST_F(DebugTest, StopsBeforeAnInstructionOverTwoPages) {
  constexpr u64 kOver = kCode + 0xFFE;
  constexpr std::array<u8, 10> code{0xBB, 2, 0, 0, 0, 0xFF, 0xC9, 0x75, 0xF7, 0xF4};
  ASSERT_TRUE(memory->write(kOver, code));
  cpu().gpr[kRcx] = 10;
  cpu().rip = kOver;
  EXPECT_EQ(run(at(Kind::kExecute, kOver + 5)).debug.breakpoint.address, kOver + 5);
  for (u64 left = 10; left > 7; --left) {
    EXPECT_EQ(cpu().gpr[kRcx], left);
    run({true, {}});  // dec
    EXPECT_EQ(run(at(Kind::kExecute, kOver)).debug.breakpoint.address, kOver);
    EXPECT_EQ(run(at(Kind::kExecute, kOver)).debug.breakpoint.address, kOver);
    EXPECT_EQ(run(at(Kind::kExecute, kOver + 5)).debug.breakpoint.address, kOver + 5);
  }
}

TEST_F(DebugTest, NothingIsLeftBehind) {
  run(at(Kind::kExecute, kCode + 11));
  ASSERT_TRUE(vcpus[0]->set_debug({}).ok());
  EXPECT_EQ(cpu().debug, nullptr);
  vcpus[0]->kick();
  EXPECT_EQ(vcpus[0]->run().reason, ExitReason::kKicked);
  EXPECT_TRUE(vm->breaks().offsets().none());
}

}  // namespace
}  // namespace pileus::engine::bt
