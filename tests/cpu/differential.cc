// The differential fuzzer: short sequences of random user-level instructions on random state, on the bare processor and
// on the engines. Ends with status 1 when one of them differed. See README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>

#include "comparison.h"
#include "expectation.h"
#include "fuzz_options.h"
#include "generator.h"

namespace pileus::cpu_test {
namespace {

// Without one unit after the other, for as long as a difference stays.
FuzzCase minimise(Comparator& comparator, FuzzCase test) {
  for (std::size_t i = test.units.size(); i-- > 0;) {
    FuzzCase smaller = without(test, i);
    const Comparison result = comparator.compare(smaller);
    if (result.usable && !result.differences.empty()) test = std::move(smaller);
  }
  return test;
}

std::string case_text(const FuzzCase& test) {
  const std::vector<u8> code = *assemble(test);
  std::string text = "code:\n";
  for (const Step& step : decode_steps(code, test.state.rip)) {
    text += fmt::format("  {:<60} ;", step_text(step));
    const u8* at = code.data() + (step.address - test.state.rip);
    for (unsigned i = 0; i < step.info.length; ++i) text += fmt::format(" {:02x}", at[i]);
    text += '\n';
  }
  Outcome start;
  start.ending = Ending::kExit;
  start.state = test.state;
  return text + "before: " + state_text(start) + "\n";
}

std::string report(const FuzzOptions& options, u64 index, const FuzzCase& test, const Comparison& result) {
  std::string text =
      fmt::format("cpu_differential --seed {} --first {} --cases 1\n", options.seed, index) + case_text(test);
  text += "bare processor: " + state_text(result.bare) + "\ndifferences, engine and bare processor:\n";
  for (const std::string& difference : result.differences) text += "  " + difference + "\n";
  return text;
}

void write_report(const FuzzOptions& options, u64 index, const std::string& text) {
  const std::string path = fmt::format("{}/cpu-differential-{}-{}.txt", options.folder, options.seed, index);
  std::ofstream(path) << text;
  std::cout << text << "written to " << path << "\n\n" << std::flush;
}

class Coverage {
 public:
  void add(const FuzzCase& test) {
    for (const Step& step : decode_steps(*assemble(test), test.state.rip))
      ++count_[ZydisMnemonicGetString(step.info.mnemonic)];
  }
  void print() const {
    for (const auto& [mnemonic, count] : count_) std::cout << mnemonic << " " << count << "\n";
  }

 private:
  std::map<std::string, u64> count_;
};

int fuzz(const FuzzOptions& options) {
  const auto* const way =
      std::find_if(kWays.begin(), kWays.end(), [&](Way one) { return options.engine == name_of(one); });
  auto created = Comparator::create(way == kWays.end() ? std::nullopt : std::optional(*way));
  if (!created.ok()) {
    std::cerr << "cpu_differential: " << created.error().message() << "\n";
    return 2;
  }
  Comparator& comparator = **created;
  const auto start = std::chrono::steady_clock::now();
  const auto late = [&] {
    return options.seconds != 0 && std::chrono::steady_clock::now() - start > std::chrono::seconds(options.seconds);
  };
  Coverage coverage;
  u64 done = 0, instructions = 0, reached = 0, unusable = 0, faults = 0, failures = 0;
  for (; (options.cases == 0 || done < options.cases) && !late() && failures < options.failures; ++done) {
    const u64 index = options.first + done;
    const FuzzCase test = Generator(options.seed, index).make();
    if (options.coverage) coverage.add(test);
    if (options.show) std::cout << case_text(test);
    const Comparison result = comparator.compare(test);
    unusable += result.usable ? 0 : 1;
    instructions += result.usable ? result.instructions : 0;
    reached += result.usable ? result.reached : 0;
    faults += result.bare.ending == Ending::kException ? 1 : 0;
    if (!result.usable || result.differences.empty()) continue;
    ++failures;
    const FuzzCase smaller = minimise(comparator, test);
    Comparison again = comparator.compare(smaller);
    // One that does not differ again depends on what ran before it.
    write_report(
        options, index,
        again.differences.empty() ? report(options, index, test, result) : report(options, index, smaller, again));
  }
  if (options.coverage) coverage.print();
  std::cout << fmt::format(
      "seed {}: {} cases of {} instructions, {} of them reached, each on {} engines; {} ended by an exception, {} of "
      "no use, "
      "{} differed\n",
      options.seed, done, instructions, reached, comparator.engines(), faults, unusable, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pileus::cpu_test

int main(int argc, char** argv) {
  pileus::cpu_test::FuzzOptions options;
  const std::optional<int> status = pileus::cpu_test::parse_options(argc, argv, &options);
  return status ? *status : pileus::cpu_test::fuzz(options);
}
