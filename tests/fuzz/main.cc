// pileus_fuzz: feeds the parsers of foreign bytes with inputs that they must survive. With PILEUS_FUZZ (clang) the
// same targets are run by libFuzzer instead: see libfuzzer.cc.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "mutate.h"
#include "smoke.h"

namespace pileus::fuzz {
namespace {

constexpr const char* kUsage = R"(Usage: pileus_fuzz COMMAND
  --list                     names the targets
  smoke [TARGET] [SECONDS]   all targets but the canaries, or one, for SECONDS each (default 1)
  repeat TARGET NUMBER       input NUMBER of smoke alone, in this process, e.g. under a debugger
  write TARGET NUMBER FILE   writes that input into a file
  file TARGET FILE           one input from a file, e.g. one that libFuzzer found
Examples:
  pileus_fuzz smoke
  pileus_fuzz smoke grub_cfg 60
)";
constexpr int kBadUsage = 2;

int usage() {
  std::fputs(kUsage, stderr);
  return kBadUsage;
}

bool parse_number(std::string_view text, u64& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

int list() {
  for (const auto part : {targets(), canaries()}) {
    for (const Target& target : part) {
      std::printf("%-18s %s\n", std::string(target.name).c_str(), std::string(target.what).c_str());
    }
  }
  return 0;
}

int smoke_command(std::span<char*> arguments) {
  u64 seconds = 1;
  const Target* only = nullptr;
  for (const std::string_view argument : arguments) {
    if (parse_number(argument, seconds)) continue;
    only = find_target(argument);
    if (only == nullptr) return usage();
  }
  const std::chrono::seconds duration(seconds);
  if (only != nullptr) return smoke(*only, duration) ? 0 : 1;
  bool good = true;
  for (const Target& target : targets()) good = smoke(target, duration) && good;
  return good ? 0 : 1;
}

int run_file(const Target& target, const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "pileus_fuzz: cannot read %s\n", path);
    return 1;
  }
  const Bytes input{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  target.run(input);
  return 0;
}

int write_file(const Bytes& input, const char* path) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  if (file.flush()) return 0;
  std::fprintf(stderr, "pileus_fuzz: cannot write %s\n", path);
  return 1;
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 2) return usage();
  const std::string_view command = arguments[1];
  if (command == "--help" || command == "-h") return std::fputs(kUsage, stdout) < 0 ? 1 : 0;
  if (command == "--list") return list();
  if (command == "smoke") return smoke_command(arguments.subspan(2));

  const Target* target = arguments.size() > 3 ? find_target(arguments[2]) : nullptr;
  if (target == nullptr) return usage();
  if (command == "file" && arguments.size() == 4) return run_file(*target, arguments[3]);
  u64 number = 0;
  if (!parse_number(arguments[3], number)) return usage();
  const Bytes input = InputMaker(*target).make(number);
  if (command == "write" && arguments.size() == 5) return write_file(input, arguments[4]);
  if (command != "repeat" || arguments.size() != 4) return usage();
  target->run(input);
  return 0;
}

}  // namespace
}  // namespace pileus::fuzz

int main(int argc, char** argv) { return pileus::fuzz::run({argv, static_cast<std::size_t>(argc)}); }
