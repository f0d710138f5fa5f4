// A guest that is stopped under one engine goes on under another: its registers and memory are all that is taken along.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runner.h"
#include "test_files.h"

namespace pileus::cpu_test {
namespace {

constexpr u64 kLoad = kMiB;
constexpr u64 kStackTop = 0x180000;
constexpr u64 kSmallPages = 4 * kMiB;
constexpr u64 kRam = 16 * kMiB;
constexpr int kStretchMs = 20;
constexpr int kMaxStretches = 1000;

std::unique_ptr<Machine> make(Way way) {
  auto made = Machine::create(way, 1, "host");
  EXPECT_TRUE(made.ok());
  return made.ok() ? std::move(made).value() : nullptr;
}

// As in system_test.cc.
void start(Machine& machine, const std::vector<u8>& code) {
  PageTables tables(machine.memory());
  for (u64 at = 0; at < kSmallPages; at += 4096) tables.map(at, at, kPresent | kWritable);
  for (u64 at = kSmallPages; at < kRam; at += 2 * kMiB) tables.map_large(at, at, kPresent | kWritable);
  machine.write_tables(0);
  ASSERT_TRUE(machine.memory().write(kLoad, code));
  engine::CpuState state = machine.flat_state(0, 0);
  for (const engine::SegmentIndex data : {engine::kDs, engine::kEs}) state.segment[data] = state.segment[engine::kSs];
  constexpr u64 kCr4OsXsave = 1U << 18;
  state.cr4 &= ~kCr4OsXsave;  // the other engine's processor may lack it
  state.xcr0 = 1;
  state.rip = kLoad;
  state.rflags = 2;
  state.gpr.fill(0);
  state.gpr[engine::kRsp] = kStackTop;
  ASSERT_TRUE(machine.cpu().set_state(state).ok());
}

void copy_memory(Machine& from, Machine& to) { ASSERT_TRUE(to.memory().write(0, *from.memory().span(0, kRam))); }

// Names what differs; empty when nothing does.
std::string difference(const engine::CpuState& a, const engine::CpuState& b) {
  std::string found;
  const auto compare = [&](const std::string& name, u64 one, u64 other) {
    if (one != other) found += fmt::format("{}: {:#x} and {:#x}\n", name, one, other);
  };
  const auto segment = [&](const std::string& name, const engine::Segment& one, const engine::Segment& other) {
    constexpr u32 kUnusable = 0x10000;
    compare(name + " selector", one.selector, other.selector);
    compare(name + " base", one.base, other.base);
    if ((one.attributes & other.attributes & kUnusable) != 0) return;  // the rest has no meaning
    compare(name + " attributes", one.attributes, other.attributes);
    compare(name + " limit", one.limit, other.limit);
  };
  for (unsigned i = 0; i < 16; ++i) compare(fmt::format("register {}", i), a.gpr[i], b.gpr[i]);
  compare("rip", a.rip, b.rip);
  compare("rflags", a.rflags, b.rflags);
  for (unsigned i = 0; i < engine::kSegmentCount; ++i)
    segment(fmt::format("segment {}", i), a.segment[i], b.segment[i]);
  segment("ldtr", a.ldtr, b.ldtr);
  segment("tr", a.tr, b.tr);
  compare("gdt", a.gdtr.base, b.gdtr.base), compare("gdt limit", a.gdtr.limit, b.gdtr.limit);
  compare("idt", a.idtr.base, b.idtr.base), compare("idt limit", a.idtr.limit, b.idtr.limit);
  compare("cr0", a.cr0, b.cr0), compare("cr2", a.cr2, b.cr2), compare("cr3", a.cr3, b.cr3);
  compare("cr4", a.cr4, b.cr4), compare("cr8", a.cr8, b.cr8), compare("xcr0", a.xcr0, b.xcr0);
  compare("efer", a.efer, b.efer);
  for (const unsigned i : {0U, 1U, 2U, 3U, 6U, 7U}) compare(fmt::format("dr{}", i), a.dr[i], b.dr[i]);
  constexpr std::size_t kFxsaveUsed = 416;
  for (std::size_t i = 0; i < kFxsaveUsed; ++i) {
    if (i < 28 || i >= 32) compare(fmt::format("xsave byte {}", i), a.xsave[i], b.xsave[i]);  // MXCSR_MASK aside
  }
  for (const engine::CpuState::Msr& one : a.msrs) {
    constexpr u32 kArchCapabilities = 0x10A;
    for (const engine::CpuState::Msr& other : b.msrs) {
      if (one.index == other.index && one.index != kArchCapabilities) {
        compare(fmt::format("msr {:#x}", one.index), one.value, other.value);
      }
    }
  }
  compare("run state", static_cast<u64>(a.run_state), static_cast<u64>(b.run_state));
  compare("nmi pending", a.nmi_pending, b.nmi_pending), compare("nmi blocked", a.nmi_blocked, b.nmi_blocked);
  compare("shadow", a.interrupt_shadow, b.interrupt_shadow);
  compare("apic base", a.lapic.base_msr, b.lapic.base_msr);
  compare("deadline", a.lapic.tsc_deadline, b.lapic.tsc_deadline);
  // TPR, SVR, ISR to IRR, LVTs and the divider.
  for (u32 i = 0x08; i <= 0x3E; ++i) {
    const bool held = i == 0x08 || i == 0x0F || (i >= 0x10 && i < 0x28) || (i >= 0x32 && i <= 0x37) || i == 0x3E;
    if (held) compare(fmt::format("apic register {:#x}", i), a.lapic.registers[i], b.lapic.registers[i]);
  }
  return found;
}

class MoveTest : public ::testing::TestWithParam<std::pair<Way, Way>> {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_kvm(); !why.empty()) GTEST_SKIP() << why;
    const auto test = load_test("system", "wanderer");
    ASSERT_TRUE(test.ok()) << test.error().message();
    code_ = test->code;
  }
  std::vector<u8> code_;
};

// Moves the guest to and fro until it ends; what is wrong then, or nothing.
std::string travel(const std::pair<Way, Way>& ways, const std::vector<u8>& code) {
  std::unique_ptr<Machine> here = make(ways.first), there = make(ways.second);
  if (!here || !there) return "no machine";
  start(*here, code);
  int moves = 0;
  MachineRun ran;
  for (; moves < kMaxStretches; ++moves) {
    ran = here->run(kStretchMs);
    if (ran.ending != Ending::kTimeout) break;
    copy_memory(*here, *there);
    const Result<> taken = there->cpu().set_state(here->cpu().state());
    if (!taken.ok()) return taken.error().message();
    std::swap(here, there);
  }
  const engine::CpuState end = here->cpu().state();
  if (moves == kMaxStretches) return fmt::format("the guest does not end at {:#x}", end.rip);
  if (ran.ending == Ending::kExit && end.gpr[engine::kRax] == 0x600DU && moves > 10) return "";
  return fmt::format("rax={:#x} at {:#x} after {} moves {}", end.gpr[engine::kRax], end.rip, moves, ran.message);
}

TEST_P(MoveTest, TheGuestNeverNotices) { EXPECT_EQ(travel(GetParam(), code_), ""); }

TEST_P(MoveTest, StateIsTheSameOnTheOtherSide) {
  const std::unique_ptr<Machine> here = make(GetParam().first), there = make(GetParam().second);
  ASSERT_TRUE(here && there);
  start(*here, code_);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(here->run(kStretchMs).ending, Ending::kTimeout);
    engine::CpuState state = here->cpu().state();
    state.exception.reset();  // bt delivers it at once
    ASSERT_TRUE(there->cpu().set_state(state).ok());
    const engine::CpuState other = there->cpu().state();
    EXPECT_EQ(difference(state, other), "");
    EXPECT_GE(other.tsc, state.tsc);
    EXPECT_LT(other.tsc - state.tsc, u64{10'000'000'000});
  }
}

// An exception that one engine had raised and not delivered is delivered by the other.
TEST_P(MoveTest, AnExceptionOnItsWayArrives) {
  constexpr u8 kGp = 13;
  constexpr u32 kError = 0x1234;
  constexpr u64 kHandler = kLoad + 0x100;
  const std::unique_ptr<Machine> there = make(GetParam().second);
  ASSERT_TRUE(there);
  start(*there, {0xEB, 0xFE});  // jmp $
  ASSERT_TRUE(there->memory().write(kHandler, kExitCode));
  const std::array<u64, 2> gate{(kHandler & 0xFFFF) | u64{kKernelCode} << 16 | u64{0x8E} << 40 | (kHandler >> 16) << 48,
                                0};
  std::memcpy(there->memory().host(kIdt + kGp * 16, 16), gate.data(), 16);
  engine::CpuState state = there->cpu().state();
  state.exception = {kGp, true, kError};
  ASSERT_TRUE(there->cpu().set_state(state).ok());
  ASSERT_EQ(there->run(1000).ending, Ending::kExit);
  const engine::CpuState end = there->cpu().state();
  EXPECT_EQ(end.rip, kHandler + kExitCode.size());
  std::array<u64, 2> frame{};
  ASSERT_TRUE(there->memory().read(end.gpr[engine::kRsp], {reinterpret_cast<u8*>(frame.data()), sizeof frame}));
  EXPECT_EQ(frame[0], kError);
  EXPECT_EQ(frame[1], kLoad);
}

INSTANTIATE_TEST_SUITE_P(Engines, MoveTest,
                         ::testing::Values(std::pair(Way::kInterpreter, Way::kKvm),
                                           std::pair(Way::kKvm, Way::kInterpreter),
                                           std::pair(Way::kTranslator, Way::kKvm),
                                           std::pair(Way::kKvm, Way::kTranslator), std::pair(Way::kKvm, Way::kKvm)),
                         [](const auto& test) {
                           return fmt::format("{}_to_{}", name_of(test.param.first), name_of(test.param.second));
                         });

}  // namespace
}  // namespace pileus::cpu_test
