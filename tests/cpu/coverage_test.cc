// What the tests cover, found by running all asm/*.asm and system/*.asm in the interpreter, one instruction after the other:
// every instruction of the tables, but for those that uncovered.txt lists with the reason; every exception, mode and change of
// privilege.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "system_machine.h"
#include "test_files.h"
#include "user_guest.h"
#include "witness.h"

namespace pileus::cpu_test {
namespace {

constexpr int kLimitMs = 60'000;

void run_user_test(const TestFile& test, Witness* witness) {
  auto guest = UserGuest::create(Way::kInterpreter, 3);
  ASSERT_TRUE(guest.ok());
  (*guest)->write(kCode.base, test.code);
  witness->watch((*guest)->machine());
  (*guest)->run(initial_state(), kLimitMs);
}

void run_system_test(const TestFile& test, Witness* witness) {
  auto machine = make_system_machine(test, Way::kInterpreter);
  ASSERT_TRUE(machine.ok());
  witness->watch(**machine);
  (*machine)->run(kLimitMs);
}

void run_all(const std::string& folder, void (*run)(const TestFile&, Witness*), Witness* witness) {
  for (const std::string& name : test_names(folder)) {
    const auto test = load_test(folder, name);
    ASSERT_TRUE(test.ok()) << test.error().message();
    if (test->expected.needs_avx2 && !has_avx2()) continue;
    run(*test, witness);
  }
}

const Witness& witness_of_all() {
  static const Witness witness = [] {
    Witness made;
    run_all("asm", run_user_test, &made);
    run_all("system", run_system_test, &made);
    return made;
  }();
  return witness;
}

std::map<std::string, std::string> listed() {
  std::map<std::string, std::string> out;
  std::ifstream in(PILEUS_CPU_TEST_SOURCES "/uncovered.txt");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with('#') && colon != std::string::npos) out[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return out;
}

template <typename Wanted, typename Seen>
std::string missing_of(const Wanted& wanted, const Seen& seen) {
  std::string missing;
  for (const auto& one : wanted) {
    if (!seen.contains(one)) missing += fmt::format(" [{}]", one);
  }
  return missing;
}

TEST(Coverage, EveryInstructionOfTheTables) {
  const Mnemonics& executed = witness_of_all().instructions;
  const auto excused = listed();
  Mnemonics wanted = interpreted_mnemonics();
  wanted.merge(fuzzed_mnemonics());
  std::string missing, stale;
  for (const ZydisMnemonic mnemonic : wanted) {
    const std::string name = ZydisMnemonicGetString(mnemonic);
    const bool done = executed.contains(mnemonic);
    if (!done && !excused.contains(name)) missing += " " + name;
    if (done && excused.contains(name)) stale += " " + name;
  }
  EXPECT_EQ(missing, "") << "no test executes these: write one, or give the reason in uncovered.txt";
  EXPECT_EQ(stale, "") << "executed by some test, but listed in uncovered.txt";
  std::cout << wanted.size() << " instructions in the tables\n";
}

TEST(Coverage, EveryException) {
  // Those of the processors that guests have. Nothing raises #MC (18) there, and NMIs, of which nmi.asm is, wait while a
  // vCPU goes step by step.
  const std::set<unsigned> wanted{0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 19};
  EXPECT_EQ(missing_of(wanted, witness_of_all().vectors), "");
}

TEST(Coverage, EveryMode) {
  const std::set<std::string> wanted{"real 16-bit, no paging",
                                     "16-bit, no paging",
                                     "32-bit, no paging",
                                     "32-bit, 32-bit paging",
                                     "32-bit, PAE paging",
                                     "32-bit, 4-level paging",
                                     "64-bit, 4-level paging",
                                     "xAPIC",
                                     "x2APIC",
                                     "no APIC"};
  EXPECT_EQ(missing_of(wanted, witness_of_all().modes), "");
}

TEST(Coverage, EveryChangeOfPrivilege) {
  const std::set<std::string> wanted{"event 3 to 0",   "event 1 to 0",   "int 3 to 0",    "iretd 0 to 3",
                                     "iretq 0 to 3",   "syscall 3 to 0", "sysret 0 to 3", "sysenter 3 to 0",
                                     "sysexit 0 to 3", "call 3 to 0",    "call 3 to 1",   "ret 0 to 3"};
  EXPECT_EQ(missing_of(wanted, witness_of_all().transitions), "");
  if (HasFailure()) {
    for (const std::string& one : witness_of_all().transitions) std::cout << "seen: " << one << "\n";
  }
}

}  // namespace
}  // namespace pileus::cpu_test
