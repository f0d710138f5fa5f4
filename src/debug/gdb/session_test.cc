#include "debug/gdb/session.h"

#include <gtest/gtest.h>

#include "debug/gdb/registers.h"

namespace pileus::debug::gdb {
namespace {

guest::GuestMemory make_memory(u64 bytes) {
  auto memory = guest::GuestMemory::create(bytes, 3 * kGiB);
  CHECK(memory.ok());
  return std::move(memory).value();
}

using engine::Breakpoint;
using Kind = Breakpoint::Kind;

class FakeTarget final : public Target {
 public:
  FakeTarget() : memory_(make_memory(1 * kMiB)) {
    states[0].gpr[engine::kRax] = 0x1122334455667788;
    states[1].rip = 0xFFF0;
    states[1].run_state = engine::RunState::kWaitForSipi;
  }
  u32 cpu_count() const override { return 2; }
  engine::CpuState state(u32 cpu) const override { return states[cpu]; }
  Result<> set_state(u32 cpu, const engine::CpuState& state) override {
    states[cpu] = state;
    return {};
  }
  guest::GuestMemory& memory() override { return memory_; }
  void pause() override { running = false; }
  Result<> resume(const std::vector<Action>& wanted, const std::vector<Breakpoint>& list) override {
    if (refuses) return Error(ErrorCode::kUnsupported, "cannot");
    actions = wanted;
    breakpoints = list;
    running = true;
    return {};
  }
  void kill() override { killed = true; }

  std::array<engine::CpuState, 2> states;
  bool running = true, killed = false, refuses = false;
  std::vector<Action> actions;
  std::vector<Breakpoint> breakpoints;

 private:
  guest::GuestMemory memory_;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    session = std::make_unique<Session>(target, [this](std::string_view bytes) { sent += bytes; });
  }
  // What is answered to a packet, without its frame; what is sent later is left in `sent`.
  std::string ask(std::string_view packet, bool* alive = nullptr) {
    sent.clear();
    const bool goes_on = session->receive(encode_packet(packet));
    if (alive != nullptr) *alive = goes_on;
    return take();
  }
  std::string take() {
    PacketReader reader;
    EXPECT_TRUE(reader.append(sent));
    sent.clear();
    const auto received = reader.next();
    return received ? received->text : "(nothing)";
  }
  static engine::DebugStop hit(Kind kind, u64 address) {
    return {engine::DebugStop::Cause::kBreakpoint, {kind, address, 1}};
  }

  FakeTarget target;
  std::string sent;
  std::unique_ptr<Session> session;
};

TEST_F(SessionTest, StopsTheGuestAndSaysSo) {
  EXPECT_FALSE(target.running);
  EXPECT_EQ(ask("?"), "T05thread:1;");
}

TEST_F(SessionTest, AcknowledgesUntilToldNotTo) {
  ASSERT_TRUE(session->receive("$?#3f"));
  EXPECT_TRUE(sent.starts_with("+$"));
  ask("QStartNoAckMode");
  ASSERT_TRUE(session->receive("$?#3f"));
  EXPECT_TRUE(sent.starts_with("$"));
}

TEST_F(SessionTest, AsksForABrokenPacketAgainAndRepeatsItsOwn) {
  ASSERT_TRUE(session->receive("$?#00"));
  EXPECT_EQ(sent, "-");
  const std::string answer = ask("qC");
  ASSERT_TRUE(session->receive("-"));
  EXPECT_EQ(take(), answer);
}

TEST_F(SessionTest, ListsThreads) {
  EXPECT_EQ(ask("qfThreadInfo"), "m1,2");
  EXPECT_EQ(ask("qsThreadInfo"), "l");
  EXPECT_EQ(ask("T2"), "OK");
  EXPECT_EQ(ask("T3"), "E03");
  EXPECT_EQ(ask("qThreadExtraInfo,2"),
            "43505520"
            "31205b6e6f7420737461727465645d");  // CPU 1 [not started]
}

TEST_F(SessionTest, DescriptionAndRegistersAgree) {
  std::string xml;
  for (std::size_t offset = 0;;) {
    char request[64];
    std::snprintf(request, sizeof request, "qXfer:features:read:target.xml:%zx,200", offset);
    const std::string part = ask(request);
    xml += part.substr(1);
    offset += part.size() - 1;
    if (part[0] == 'l') break;
  }
  EXPECT_EQ(xml, target_description());
  std::size_t bytes = 0;
  for (const Register& reg : registers()) {
    bytes += reg.bytes;
    EXPECT_NE(xml.find("<reg name=\"" + reg.name + "\""), std::string::npos);
  }
  EXPECT_EQ(ask("g").size(), 2 * bytes);
}

TEST_F(SessionTest, ReadsAndWritesRegisters) {
  EXPECT_EQ(ask("p0"), "8877665544332211");
  EXPECT_EQ(ask("P1=0100000000000080"), "OK");
  EXPECT_EQ(target.states[0].gpr[engine::kRbx], 0x8000000000000001);
  EXPECT_EQ(ask("Hg2"), "OK");
  EXPECT_EQ(ask("p10"), "f0ff000000000000");  // RIP of the other one
  EXPECT_EQ(ask("P12=08000000"), "E01");      // a selector without its descriptor
  EXPECT_EQ(ask("P1=01"), "E16");
  EXPECT_EQ(ask("pffff"), "E16");
}

TEST_F(SessionTest, WritingAllBackChangesNothing) {
  target.states[0].xsave[2 + 1] = 3 << 3;  // the stack's top is register 3
  target.states[0].xsave[4] = 0x18;        // 3 and 4 are in use
  target.states[0].xsave[32 + 9] = 0x3F;
  const engine::CpuState before = target.states[0];
  const std::string all = ask("g");
  EXPECT_EQ(ask("G" + all), "OK");
  EXPECT_EQ(target.states[0].gpr, before.gpr);
  EXPECT_EQ(target.states[0].xsave, before.xsave);
  EXPECT_EQ(ask("g"), all);
  EXPECT_EQ(ask("G00"), "E16");
}

TEST_F(SessionTest, ReadsAndWritesMemory) {
  EXPECT_EQ(ask("M1000,3:010203"), "OK");
  EXPECT_EQ(ask(std::string("X1003,2:#}", 10)), "OK");
  EXPECT_EQ(ask("m1000,6"), "010203237d00");
  EXPECT_EQ(ask("mfffff,8"), "00");  // the last byte of RAM
  EXPECT_EQ(ask("m100000,8"), "E0e");
  EXPECT_EQ(ask("Mfffff,2:0000"), "E0e");
  EXPECT_EQ(ask("M1000,3:0102"), "E16");
  EXPECT_EQ(ask("m1000"), "E16");
}

TEST_F(SessionTest, GivesBreakpointsToTheGuestWhenItGoesOn) {
  EXPECT_EQ(ask("Z0,ffffffff81000000,1"), "OK");
  EXPECT_EQ(ask("Z0,ffffffff81000000,1"), "OK");
  EXPECT_EQ(ask("Z1,2000,1"), "OK");
  EXPECT_EQ(ask("Z2,3000,8"), "OK");
  EXPECT_EQ(ask("Z3,4000,4"), "OK");
  EXPECT_EQ(ask("z3,4000,4"), "OK");
  EXPECT_EQ(ask("Z5,4000,4"), "");
  EXPECT_EQ(ask("Z2,ffffffffffffffff,2"), "E16");
  EXPECT_EQ(ask("vCont;c"), "(nothing)");
  EXPECT_EQ(target.breakpoints,
            (std::vector<Breakpoint>{
                {Kind::kExecute, 0xFFFFFFFF81000000, 1}, {Kind::kExecute, 0x2000, 1}, {Kind::kWrite, 0x3000, 8}}));
}

TEST_F(SessionTest, LetsSomeStepAndOthersStay) {
  ask("vCont;s:2");
  EXPECT_EQ(target.actions, (std::vector{Action::kStay, Action::kStep}));
  session->on_stop(1, {});
  EXPECT_EQ(take(), "T05thread:2;");
  EXPECT_FALSE(target.running);
  ask("vCont;s:1;c");
  EXPECT_EQ(target.actions, (std::vector{Action::kStep, Action::kRun}));
  session->on_stop(0, {});
  EXPECT_EQ(ask("vCont;x"), "E16");
  EXPECT_EQ(ask("vCont;c:9"), "E03");
}

TEST_F(SessionTest, TellsWhatItStoppedFor) {
  ask("Z1,2000,1");
  const auto stopped_by = [&](const engine::DebugStop& stop) {
    ask("c");
    sent.clear();
    session->on_stop(0, stop);
    return take();
  };
  EXPECT_EQ(stopped_by(hit(Kind::kExecute, 0x1000)), "T05thread:1;swbreak:;");
  EXPECT_EQ(stopped_by(hit(Kind::kExecute, 0x2000)), "T05thread:1;hwbreak:;");
  EXPECT_EQ(stopped_by(hit(Kind::kWrite, 0x3000)), "T05thread:1;watch:3000;");
  EXPECT_EQ(stopped_by(hit(Kind::kRead, 0x3000)), "T05thread:1;rwatch:3000;");
  EXPECT_EQ(stopped_by(hit(Kind::kAccess, 0x3000)), "T05thread:1;awatch:3000;");
}

TEST_F(SessionTest, LosesNoWatchedWriteOfAnotherCpu) {
  ask("c");
  session->on_stop(0, hit(Kind::kExecute, 0x1000));
  session->on_stop(1, hit(Kind::kWrite, 0x3000));
  sent.clear();
  EXPECT_EQ(ask("c"), "T05thread:2;watch:3000;");
  EXPECT_FALSE(target.running);
  EXPECT_EQ(ask("c"), "(nothing)");
  EXPECT_TRUE(target.running);
}

TEST_F(SessionTest, InterruptStopsARunningGuestOnly) {
  ASSERT_TRUE(session->receive("\x03"));
  EXPECT_EQ(sent, "");
  ask("c");
  ASSERT_TRUE(session->receive("\x03"));
  EXPECT_EQ(take(), "T02thread:1;");
  EXPECT_FALSE(target.running);
}

TEST_F(SessionTest, DetachLeavesNothingBehind) {
  ask("Z0,1000,1");
  bool alive = true;
  EXPECT_EQ(ask("D", &alive), "OK");
  EXPECT_FALSE(alive);
  EXPECT_TRUE(target.running);
  EXPECT_TRUE(target.breakpoints.empty());
}

TEST_F(SessionTest, AConnectionThatBreaksIsADetach) {
  ask("Z0,1000,1");
  session.reset();
  EXPECT_TRUE(target.running);
  EXPECT_TRUE(target.breakpoints.empty());
}

TEST_F(SessionTest, KillEndsTheGuest) {
  bool alive = true;
  EXPECT_EQ(ask("vKill;1", &alive), "OK");
  EXPECT_FALSE(alive);
  EXPECT_TRUE(target.killed);
}

TEST_F(SessionTest, TellsOfTheEndOfTheGuest) {
  ask("c");
  session->on_end();
  EXPECT_EQ(take(), "W00");
}

TEST_F(SessionTest, AnEngineThatCannotIsAnError) {
  target.refuses = true;
  EXPECT_EQ(ask("c"), "E01");
  EXPECT_EQ(ask("?"), "T05thread:1;");
}

TEST_F(SessionTest, NonsenseIsAnswered) {
  for (const char* nonsense : {"H", "Z", "Z0", "z0,,", "m", "p", "P", "P=", "G0", "Mx", "X1000,5:a", "vCont;",
                               "qXfer:features:read:target.xml:x"}) {
    SCOPED_TRACE(nonsense);
    const std::string answer = ask(nonsense);
    EXPECT_TRUE(answer.empty() || answer[0] == 'E' || answer == "(nothing)") << answer;
    ASSERT_TRUE(session->receive("\x03"));
  }
  EXPECT_EQ(ask("vUnknown"), "");
  EXPECT_EQ(ask(""), "");
}

}  // namespace
}  // namespace pileus::debug::gdb
