#include "test_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pileus::cpu_test {

namespace {

Result<std::string> read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error::from_errno("open " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::vector<std::string> test_names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(PILEUS_CPU_TEST_SOURCES) + "/" + folder)) {
    if (entry.path().extension() == ".asm") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<TestFile> load_test(const std::string& folder, const std::string& name) {
  const std::string relative = "/" + folder + "/" + name;
  const std::string source = TRY(read_all(PILEUS_CPU_TEST_SOURCES + relative + ".asm"));
  const std::string code = TRY(read_all(PILEUS_CPU_TEST_BINARIES + relative + ".bin"));
  Expectation expected = TRY(parse_expectation(source));
  return TestFile{name, std::vector<u8>(code.begin(), code.end()), std::move(expected)};
}

// known_failures.txt: "folder/name [engine]: reason", lines that start with # aside.
std::string known_failure(const std::string& test, const std::string& engine) {
  std::ifstream in(PILEUS_CPU_TEST_SOURCES "/known_failures.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    for (const std::string& key : {test + ": ", test + " " + engine + ": "}) {
      if (line.starts_with(key)) return line.substr(key.size());
    }
  }
  return {};
}

}  // namespace pileus::cpu_test
