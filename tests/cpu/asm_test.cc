// asm/*.asm: user-level code on the interpreter, on the translator (both at CPL 0 and 3) and on the bare processor.
// Each must end in the declared state, and the engines in all else as the processor does.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "bare_processor.h"
#include "test_files.h"
#include "user_guest.h"

namespace pileus::cpu_test {
namespace {

struct Finished {
  Outcome outcome;
  std::vector<u8> arena;
  std::string message = {};  // the engine's
};

// Test memory starts as zeros everywhere.
Finished run_bare(const TestFile& test) {
  auto processor = BareProcessor::create();
  CHECK(processor.ok());
  std::copy(test.code.begin(), test.code.end(), (*processor)->arena());
  (*processor)->start(initial_state());
  Finished run;
  run.outcome = (*processor)->finish(test.expected.limit_ms);
  run.arena.assign((*processor)->arena(), (*processor)->arena() + kArenaBytes);
  return run;
}

Finished run_guest(const TestFile& test, Way way, unsigned cpl) {
  auto guest = UserGuest::create(way, cpl);
  CHECK(guest.ok());
  (*guest)->write(kCode.base, test.code);
  Finished run;
  run.outcome = (*guest)->run(initial_state(), test.expected.limit_ms);
  run.message = (*guest)->message();
  run.arena.resize(kArenaBytes);
  for (const Stretch& stretch : kArena) {
    u8* at = arena_at(run.arena.data(), stretch.base, stretch.size);
    (*guest)->read(stretch.base, {at, stretch.size});
  }
  return run;
}

std::vector<std::string> memory_violations(const Expectation& expected, Finished& run) {
  std::vector<std::string> found;
  for (const Expectation::Memory& memory : expected.memory) {
    const u8* at = arena_at(run.arena.data(), memory.address, memory.bytes.size());
    if (at == nullptr) {
      found.push_back(fmt::format("{:#x} is not in the arena", memory.address));
      continue;
    }
    for (std::size_t i = 0; i < memory.bytes.size(); ++i) {
      if (at[i] == memory.bytes[i]) continue;
      found.push_back(
          fmt::format("byte at {:#x} is {:02x}, declared {:02x}", memory.address + i, at[i], memory.bytes[i]));
    }
  }
  return found;
}

std::string memory_difference(Finished& one, Finished& other) {
  for (const Stretch& stretch : kArena) {
    const u8* a = arena_at(one.arena.data(), stretch.base, stretch.size);
    const u8* b = arena_at(other.arena.data(), stretch.base, stretch.size);
    const auto [at, with] = std::mismatch(a, a + stretch.size, b);
    if (at != a + stretch.size) {
      return fmt::format("byte at {:#x} is {:02x} and {:02x}", stretch.base + static_cast<u64>(at - a), *at, *with);
    }
  }
  return {};
}

class AsmTest : public ::testing::TestWithParam<std::string> {
 protected:
  // Violations of the declared state, and differences from `bare` if it is not null.
  static std::string judge(const TestFile& test, Finished& run, Finished* bare) {
    std::vector<std::string> found = violations(test.expected, run.outcome);
    for (std::string& text : memory_violations(test.expected, run)) found.push_back(std::move(text));
    if (bare != nullptr) {
      for (const std::string& text : differences(test.expected, run.outcome, bare->outcome)) {
        found.push_back("unlike the bare processor: " + text);
      }
      const std::string memory = memory_difference(run, *bare);
      if (!memory.empty()) found.push_back("unlike the bare processor: " + memory);
    }
    std::string all;
    for (const std::string& text : found) all += "  " + text + "\n";
    return all.empty() || run.message.empty() ? all : all + "  " + run.message + "\n";
  }

  void check_engine(const TestFile& test, Way way, Finished& bare) {
    const std::string name = name_of(way);
    const std::string known = known_failure("asm/" + test.name, name);
    bool failed = false;
    for (const unsigned cpl : {0U, 3U}) {
      if (way == Way::kDirect && cpl == 0) continue;
      Finished run = run_guest(test, way, cpl);
      const std::string wrong = judge(test, run, &bare);
      failed |= !wrong.empty();
      if (known.empty()) {
        EXPECT_EQ(wrong, "") << name << " at CPL " << cpl;
      }
    }
    if (!known.empty()) {
      EXPECT_TRUE(failed) << "passes on the " << name << ", but known_failures.txt says: " << known;
    }
  }
};

TEST_P(AsmTest, GivesTheDeclaredState) {
  const auto test = load_test("asm", GetParam());
  ASSERT_TRUE(test.ok()) << test.error().message();
  if (test->expected.needs_avx2 && !has_avx2()) GTEST_SKIP() << "this processor has no AVX2";
  Finished bare = run_bare(*test);
  if (std::getenv("CPU_TEST_SHOW") != nullptr) std::cout << state_text(bare.outcome) << "\n";
  EXPECT_EQ(judge(*test, bare, nullptr), "") << "bare processor";
  for (const Way way : kWays) check_engine(*test, way, bare);
  for (const Way way : {Way::kStoring, Way::kStored}) check_engine(*test, way, bare);
}

TEST_P(AsmTest, GivesTheDeclaredStateUnderKvm) {
  const auto test = load_test("asm", GetParam());
  ASSERT_TRUE(test.ok()) << test.error().message();
  const std::string why = why_no_kvm("host", test->expected.needs_avx2);
  if (!why.empty()) GTEST_SKIP() << why;
  Finished bare = run_bare(*test);
  check_engine(*test, Way::kKvm, bare);
}

INSTANTIATE_TEST_SUITE_P(Files, AsmTest, ::testing::ValuesIn(test_names("asm")),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace pileus::cpu_test
