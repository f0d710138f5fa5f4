// The assembly tests: their sources, and the flat binaries that the build made of them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "expectation.h"

namespace pileus::cpu_test {

struct TestFile {
  std::string name;  // "adc_chain"
  std::vector<u8> code;
  Expectation expected;
};

// Names of the tests in a folder of tests/cpu ("asm", "system"), sorted.
std::vector<std::string> test_names(const std::string& folder);
Result<TestFile> load_test(const std::string& folder, const std::string& name);

// The reason why "folder/name" or "folder/name engine" is known to fail (known_failures.txt); empty when it is not.
std::string known_failure(const std::string& test, const std::string& engine);

}  // namespace pileus::cpu_test
