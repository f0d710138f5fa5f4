#include "fuzz_options.h"

#include <CLI/CLI.hpp>

namespace pileus::cpu_test {

std::optional<int> parse_options(int argc, char** argv, FuzzOptions* out) {
  CLI::App app("Compares the engines with the processor on random user-level instructions.");
  app.add_option("--seed", out->seed, "Which cases: the same seed makes the same ones")->capture_default_str();
  app.add_option("--first", out->first, "Index of the first case")->capture_default_str();
  app.add_option("--cases", out->cases, "How many cases; 0: no end");
  app.add_option("--seconds", out->seconds, "For how long; 0: no end");
  app.add_option("--failures", out->failures, "Stop after that many differing cases")->capture_default_str();
  app.add_option("--progress", out->progress, "Seconds from one count to the next")->capture_default_str();
  app.add_option("--engine", out->engine, "Whom to compare")
      ->check(CLI::IsMember({"all", "interpreter", "translator", "direct"}))
      ->capture_default_str();
  app.add_option("--folder", out->folder, "Where reports of differing cases go")->capture_default_str();
  app.add_flag("--coverage", out->coverage, "Tell how many instances each instruction had");
  app.add_flag("--show", out->show, "Print each case before it runs");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return std::nullopt;
}

}  // namespace pileus::cpu_test
