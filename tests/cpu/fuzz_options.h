// The command line of cpu_differential.
#pragma once

#include <optional>
#include <string>

#include "base/ints.h"

namespace pileus::cpu_test {

struct FuzzOptions {
  u64 seed = 1;
  u64 first = 0;
  u64 cases = 0;
  u64 seconds = 0;
  u64 failures = 1;
  u64 progress = 60;  // seconds
  std::string engine = "all";
  std::string folder = ".";
  bool coverage = false;
  bool show = false;
};

// The status to exit with at once, if any.
std::optional<int> parse_options(int argc, char** argv, FuzzOptions* out);

}  // namespace pileus::cpu_test
