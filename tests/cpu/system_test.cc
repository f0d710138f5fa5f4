// system/*.asm: bare-metal code on the interpreter and on the translator. Each must end in the declared state.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "system_machine.h"

namespace pileus::cpu_test {
namespace {

std::vector<std::string> memory_violations(const Expectation& expected, Machine& machine) {
  std::vector<std::string> found;
  for (const Expectation::Memory& memory : expected.memory) {
    const u8* at = machine.memory().host(memory.address, memory.bytes.size());
    if (at == nullptr || std::memcmp(at, memory.bytes.data(), memory.bytes.size()) != 0) {
      found.push_back(fmt::format("memory at {:#x} is not as declared", memory.address));
    }
  }
  return found;
}

std::string run(const TestFile& test, Way way) {
  auto created = make_system_machine(test, way);
  CHECK(created.ok());
  Machine& machine = **created;
  const MachineRun ran = machine.run(test.expected.limit_ms);
  const engine::CpuState end = machine.cpu().state();
  Outcome outcome;
  outcome.ending = test.expected.shutdown && ran.ending == Ending::kException ? Ending::kExit : ran.ending;
  if (test.expected.shutdown && ran.ending == Ending::kExit) outcome.ending = Ending::kCrash;
  outcome.cr2 = end.cr2;
  outcome.state.gpr = end.gpr;
  outcome.state.rip = end.rip;
  outcome.state.rflags = end.rflags;
  std::memcpy(outcome.state.fx.data(), end.xsave.data(), outcome.state.fx.size());
  if (std::getenv("CPU_TEST_SHOW") != nullptr) std::cout << state_text(outcome) << "\n";

  std::vector<std::string> found = violations(test.expected, outcome);
  for (std::string& text : memory_violations(test.expected, machine)) found.push_back(std::move(text));
  std::string all;
  for (const std::string& text : found) all += "  " + text + "\n";
  return all.empty() ? all : all + "  at " + fmt::format("{:#x}", end.rip) + " " + ran.message + "\n";
}

// Why ThreadSanitizer would spoil this test, or nothing.
std::string spoiled_by_sanitizer([[maybe_unused]] std::string_view name, [[maybe_unused]] Way way) {
#ifdef __SANITIZE_THREAD__
  if (way == Way::kInterpreter) return {};
  if (name == "interrupts" || name == "timer" || name == "wanderer") {
    return "the sanitizer keeps the timer's signal back until the next call of a function that it knows";
  }
  if (name == "xsave") return "the sanitizer's runtime uses vector registers: they are never as after a reset";
#endif
  return {};
}

class SystemTest : public ::testing::TestWithParam<std::string> {};

void check(const std::string& name, Way way) {
  const auto test = load_test("system", name);
  ASSERT_TRUE(test.ok()) << test.error().message();
  if (test->expected.needs_avx2 && !has_avx2()) GTEST_SKIP() << "this processor has no AVX2";
  if (const std::string why = spoiled_by_sanitizer(name, way); !why.empty()) GTEST_SKIP() << why;
  const std::string known = known_failure("system/" + name, name_of(way));
  const std::string wrong = run(*test, way);
  if (known.empty()) {
    EXPECT_EQ(wrong, "");
  } else {
    EXPECT_NE(wrong, "") << "passes, but known_failures.txt says: " << known;
  }
}

TEST_P(SystemTest, Interpreter) { check(GetParam(), Way::kInterpreter); }
TEST_P(SystemTest, Translator) { check(GetParam(), Way::kTranslator); }
TEST_P(SystemTest, Stored) {
  check(GetParam(), Way::kStoring);
  check(GetParam(), Way::kStored);
}
TEST_P(SystemTest, Direct) { check(GetParam(), Way::kDirect); }
TEST_P(SystemTest, Kvm) {
  const auto test = load_test("system", GetParam());
  ASSERT_TRUE(test.ok()) << test.error().message();
  const std::string why = why_no_kvm(test->expected.cpu_model, test->expected.needs_avx2);
  if (!why.empty()) GTEST_SKIP() << why;
  if (test->expected.needs_processor && std::string_view(name_of(Way::kKvm)) == "kvm_emulated") {
    GTEST_SKIP() << "this host's KVM emulates: it would fail now and then";
  }
  check(GetParam(), Way::kKvm);
}

INSTANTIATE_TEST_SUITE_P(Files, SystemTest, ::testing::ValuesIn(test_names("system")),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace pileus::cpu_test
