#include "engine/kvm/debug.h"

#include <gtest/gtest.h>

#include <array>

#include "engine/engine.h"

namespace pileus::engine {
namespace {

using kvm::GuestDebug;
using Kind = Breakpoint::Kind;

TEST(KvmGuestDebug, AnythingElseThanFourAlignedPiecesIsRefused) {
  const auto taken = [](std::vector<Breakpoint> wanted) { return GuestDebug::create({false, std::move(wanted)}).ok(); };
  const Breakpoint one{Kind::kExecute, 0x1001, 1};
  EXPECT_TRUE(taken({one, one, one, one}));
  EXPECT_FALSE(taken({one, one, one, one, one}));
  EXPECT_TRUE(taken({{Kind::kWrite, 0x1000, 32}}));
  EXPECT_FALSE(taken({{Kind::kWrite, 0x1000, 33}}));
  EXPECT_TRUE(taken({{Kind::kAccess, 0x1001, 7}}));   // 1, 2 and 4 bytes
  EXPECT_FALSE(taken({{Kind::kAccess, 0x1001, 16}}));  // 1, 2, 4, 8 and 1
  EXPECT_FALSE(taken({{Kind::kWrite, 0, ~u64{0}}}));
  EXPECT_FALSE(taken({{Kind::kRead, 0x1000, 1}}));
}

TEST(KvmGuestDebug, EncodesDebugRegisters) {
  const GuestDebug debug =
      GuestDebug::create({true, {{Kind::kExecute, 0x1234, 1}, {Kind::kWrite, 0x2008, 12}}}).value();
  const kvm_guest_debug request = debug.request(0x00100000);
  EXPECT_EQ(request.control, 0x00100000U | KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP);
  EXPECT_EQ(request.arch.debugreg[0], 0x1234u);
  EXPECT_EQ(request.arch.debugreg[1], 0x2008u);
  EXPECT_EQ(request.arch.debugreg[2], 0x2010u);
  EXPECT_EQ(request.arch.debugreg[7], 0x0D900415u);  // write, 4 and 8 bytes; execute; three are on
  EXPECT_EQ(debug.request(0).control & 0x00100000, 0u);
  EXPECT_EQ(GuestDebug().request(~0U).control, 0u);

  kvm_debug_exit_arch exit{};
  exit.dr6 = 0xFFFF0FF0 | 4;
  EXPECT_EQ(debug.stop(exit).breakpoint, (Breakpoint{Kind::kWrite, 0x2010, 12}));
  exit.dr6 = 0xFFFF0FF0 | 0x4000;
  EXPECT_EQ(debug.stop(exit).cause, DebugStop::Cause::kStep);
}

constexpr u64 kCode = 0x1000;
// 1000: mov ecx, 1000; 1005: dec ecx; 1007: jnz 1005; 1009: mov [edi], ecx; 100b: out 0xF4, al; 100d: hlt; jmp 100d
constexpr std::array<u8, 16> kLoop{0xB9, 0xE8, 0x03, 0,    0,    0xFF, 0xC9, 0x75,
                                   0xFC, 0x89, 0x0F, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD};

struct ExitPort final : guest::BusDevice {
  u64 read(u64, unsigned) override { return 0xFF; }
  void write(u64, unsigned, u64) override { vcpu->kick(); }
  Vcpu* vcpu = nullptr;
};

// On this host's KVM. One that emulates knows no breakpoints on data, so there are none here.
class KvmDebug : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
    ASSERT_TRUE(memory_.write(kCode, kLoop));
    ASSERT_TRUE(ports_.add(0xF4, 1, &port_).ok());
    Config config;
    config.memory = &memory_;
    config.mmio = &mmio_;
    config.ports = &ports_;
    engine_ = create_kvm(config).value();
    vcpu_ = port_.vcpu = engine_->create_vcpu(0).value();
    CpuState state = vcpu_->state();
    state.segment.fill({0x10, 0xC093, 0xFFFFFFFF, 0});
    state.segment[kCs] = {0x08, 0xC09B, 0xFFFFFFFF, 0};
    state.cr0 = 0x11;
    state.rip = kCode;
    state.rflags = 2;
    state.gpr[kRdi] = 0x2000;
    ASSERT_TRUE(vcpu_->set_state(state).ok());
  }
  Exit run(const DebugSettings& settings) {
    EXPECT_TRUE(vcpu_->set_debug(settings).ok());
    return vcpu_->run();
  }
  guest::GuestMemory memory_ = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  guest::Bus mmio_, ports_;
  ExitPort port_;
  std::unique_ptr<Engine> engine_;
  Vcpu* vcpu_ = nullptr;
};

TEST_F(KvmDebug, StopsBeforeTheInstructionAndStepsOverIt) {
  const DebugSettings at{false, {{Kind::kExecute, kCode + 5, 1}}};
  for (u64 round = 1000; round > 990; --round) {
    const Exit exit = run(at);
    ASSERT_EQ(exit.reason, ExitReason::kDebug) << exit.message;
    EXPECT_EQ(exit.debug.cause, DebugStop::Cause::kBreakpoint);
    EXPECT_EQ(exit.debug.breakpoint, at.breakpoints[0]);
    EXPECT_EQ(vcpu_->state().rip, kCode + 5);
    EXPECT_EQ(vcpu_->state().gpr[kRcx], round);
    EXPECT_EQ(run({true, {}}).debug.cause, DebugStop::Cause::kStep);
    EXPECT_EQ(vcpu_->state().rip, kCode + 7);
  }
  EXPECT_EQ(run({}).reason, ExitReason::kKicked);
  EXPECT_EQ(vcpu_->state().gpr[kRcx], 0u);
}

TEST_F(KvmDebug, TheGuestsRegistersShowNothingOfIt) {
  run({true, {{Kind::kExecute, kCode + 9, 1}}});
  const CpuState state = vcpu_->state();
  EXPECT_EQ(state.rflags, 2u);
  for (const unsigned i : {0U, 1U, 2U, 3U}) EXPECT_EQ(state.dr[i], 0u);
  EXPECT_EQ(state.dr[7], 0x400u);
}

TEST_F(KvmDebug, AStepIsFromWhereTheStateIsNow) {
  EXPECT_EQ(run({true, {}}).reason, ExitReason::kDebug);
  CpuState state = vcpu_->state();
  EXPECT_EQ(state.rip, kCode + 5);
  state.rip = kCode;
  ASSERT_TRUE(vcpu_->set_state(state).ok());
  EXPECT_EQ(vcpu_->run().reason, ExitReason::kDebug);
  EXPECT_EQ(vcpu_->state().rip, kCode + 5);
}

TEST_F(KvmDebug, RefusesWhatItCannotDo) {
  const std::vector<Breakpoint> five(5, {Kind::kExecute, kCode, 1});
  const Result<> refused = vcpu_->set_debug({false, five});
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace pileus::engine
