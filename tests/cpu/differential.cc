// The differential fuzzer: short sequences of random user-level instructions on random state, on the bare processor and
// on the engines. Ends with status 1 when one of them differed. See README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>

#include "comparison.h"
#include "expectation.h"
#include "fuzz_options.h"
#include "generator.h"
#include "instance_count.h"

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

// Whether somebody wants the end: SIGINT and SIGTERM stay pending, for the processes that the case runs in not to get them.
class EndRequest {
 public:
  EndRequest() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    CHECK(::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  }
  bool came() const {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
  }
};

class Fuzzer {
 public:
  Fuzzer(const FuzzOptions& options, Comparator& comparator) : options_(options), comparator_(comparator) {}

  int run(const EndRequest& end) {
    while (wants_more() && !end.came()) {
      const u64 index = options_.first + cases_;
      FuzzCase test = Generator(options_.seed, index).make();
      if (!test.may_fault) test = comparator_.without_faults(std::move(test));
      if (options_.show) std::cout << case_text(test);
      const Comparison result = comparator_.compare(test);
      ++cases_;
      note(result);
      if (!result.differences.empty()) tell_difference(index, test, result);
    }
    std::cout << summary() << "\n" << instances_.least();
    if (options_.coverage) std::cout << instances_.all();
    return failures_ == 0 ? 0 : 1;
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool wants_more() {
    const auto now = Clock::now();
    if (now - told_ > std::chrono::seconds(options_.progress)) {
      told_ = now;
      std::cout << summary() << "\n" << std::flush;
    }
    const bool late = options_.seconds != 0 && now - start_ > std::chrono::seconds(options_.seconds);
    return !late && (options_.cases == 0 || cases_ < options_.cases) && failures_ < options_.failures;
  }

  void note(const Comparison& result) {
    instances_.add(result.executed);
    unusable_ += result.usable ? 0U : 1U;
    exceptions_ += result.bare.ending == Ending::kException ? 1U : 0U;
    failures_ += result.differences.empty() ? 0U : 1U;
  }

  void tell_difference(u64 index, const FuzzCase& test, const Comparison& result) {
    const FuzzCase smaller = minimise(comparator_, test);
    const Comparison again = comparator_.compare(smaller);
    // One that does not differ again depends on what ran before it.
    const bool stays = !again.differences.empty();
    write_report(options_, index,
                 stays ? report(options_, index, smaller, again) : report(options_, index, test, result));
  }

  std::string summary() const {
    return fmt::format(
        "seed {}: {} cases with {} instances of instructions, each compared on {} engines; {} cases ended by an "
        "exception, "
        "{} of no use, {} differed; {} s",
        options_.seed, cases_, instances_.total(), comparator_.engines(), exceptions_, unusable_, failures_,
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_).count());
  }

  const FuzzOptions& options_;
  Comparator& comparator_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point told_ = start_;
  InstanceCount instances_;
  u64 cases_ = 0, unusable_ = 0, exceptions_ = 0, failures_ = 0;
};

int fuzz(const FuzzOptions& options) {
  const EndRequest end;
  const auto* const way =
      std::find_if(kWays.begin(), kWays.end(), [&](Way one) { return options.engine == name_of(one); });
  auto created = Comparator::create(way == kWays.end() ? std::nullopt : std::optional(*way));
  if (!created.ok()) {
    std::cerr << "cpu_differential: " << created.error().message() << "\n";
    return 2;
  }
  return Fuzzer(options, **created).run(end);
}

}  // namespace
}  // namespace pileus::cpu_test

int main(int argc, char** argv) {
  pileus::cpu_test::FuzzOptions options;
  const std::optional<int> status = pileus::cpu_test::parse_options(argc, argv, &options);
  return status ? *status : pileus::cpu_test::fuzz(options);
}
