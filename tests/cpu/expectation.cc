#include "expectation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sstream>

namespace pileus::cpu_test {

namespace {

constexpr std::array<const char*, 16> kGprNames{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                                "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
struct FlagName {
  u64 bit;
  const char* name;
};
constexpr std::array<FlagName, 7> kFlagNames{
    {{1, "CF"}, {4, "PF"}, {16, "AF"}, {64, "ZF"}, {128, "SF"}, {0x400, "DF"}, {0x800, "OF"}}};

std::string without_zeros(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return digits;
}

// Little-endian bytes as one hexadecimal number.
std::string number_text(const u8* bytes, std::size_t size) {
  std::string digits;
  for (std::size_t i = size; i-- > 0;) digits += fmt::format("{:02x}", bytes[i]);
  return without_zeros(digits);
}

std::optional<u64> parse_number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const u64 value = std::strtoull(text.c_str(), &end, 0);
  if (*end != '\0') return std::nullopt;
  return value;
}

std::optional<u64> parse_flags(const std::string& text) {
  u64 flags = 0;
  if (text == "none") return flags;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    const auto* found =
        std::find_if(kFlagNames.begin(), kFlagNames.end(), [&](const FlagName& f) { return f.name == name; });
    if (found == kFlagNames.end()) return std::nullopt;
    flags |= found->bit;
  }
  return flags;
}

bool parse_item(const std::string& item, Expectation* out) {
  const std::size_t equals = item.find('=');
  if (equals == std::string::npos) return false;
  const std::string name = item.substr(0, equals);
  std::string value = item.substr(equals + 1);
  if (name == "rflags") {
    out->rflags = parse_flags(value);
    return out->rflags.has_value();
  }
  if (name == "exception") {
    const std::optional<u64> number = parse_number(value);
    if (number) out->exception = static_cast<u8>(*number);
    return number.has_value();
  }
  if (!register_text(UserState{}, name) && name != "cr2") return false;
  if (value.starts_with("0x")) {
    value.erase(0, 2);
  } else {
    const std::optional<u64> number = parse_number(value);
    if (!number) return false;
    value = fmt::format("{:x}", *number);
  }
  std::transform(value.begin(), value.end(), value.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
  if (value.empty()) return false;
  out->registers[name] = without_zeros(value);
  return true;
}

bool parse_memory(std::istringstream& words, Expectation* out) {
  std::string address;
  if (!(words >> address) || !address.ends_with(':')) return false;
  address.pop_back();
  const std::optional<u64> at = parse_number(address);
  if (!at) return false;
  Expectation::Memory memory{*at, {}};
  for (std::string byte; words >> byte;) {
    const std::optional<u64> value = parse_number("0x" + byte);
    if (!value || *value > 255) return false;
    memory.bytes.push_back(static_cast<u8>(*value));
  }
  out->memory.push_back(std::move(memory));
  return true;
}

bool parse_directive(const std::string& line, Expectation* out) {
  std::istringstream words(line);
  std::string kind;
  std::string word;
  words >> kind;
  if (kind == "mem") return parse_memory(words, out);
  while (words >> word) {
    if (kind == "expect") {
      if (!parse_item(word, out)) return false;
    } else if (kind == "varies") {
      out->varies.push_back(word);
    } else if (kind == "undefined") {
      const std::optional<u64> flags = parse_flags(word);
      if (!flags) return false;
      out->undefined_flags |= *flags;
    } else if (kind == "needs") {
      if (word == "avx2") out->needs_avx2 = true;
      else if (word == "processor") out->needs_processor = true;
      else return false;
    } else if (kind == "cpu") {
      out->cpu_model = word;
    } else if (kind == "cpus" || kind == "limit_ms") {
      const std::optional<u64> count = parse_number(word);
      if (!count) return false;
      if (kind == "cpus") out->cpus = static_cast<u32>(*count);
      else out->limit_ms = static_cast<int>(*count);
    } else if (kind == "ends") {
      if (word != "exit" && word != "shutdown") return false;
      out->shutdown = word == "shutdown";
    } else {
      return false;
    }
  }
  return true;
}

// Names of everything that UserState holds but RFLAGS and the x87 status's mirror in FXSAVE's reserved fields.
std::vector<std::string> all_registers() {
  std::vector<std::string> names(kGprNames.begin(), kGprNames.end());
  for (unsigned i = 0; i < 16; ++i) names.push_back(fmt::format("xmm{}", i));
  for (unsigned i = 0; i < 16; ++i) names.push_back(fmt::format("ymmh{}", i));
  for (unsigned i = 0; i < 8; ++i) names.push_back(fmt::format("st{}", i));
  for (const char* name : {"mxcsr", "fcw", "fsw", "ftw", "rip"}) names.emplace_back(name);
  return names;
}

}  // namespace

Result<Expectation> parse_expectation(const std::string& source) {
  Expectation out;
  std::istringstream lines(source);
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.starts_with(";;")) continue;
    if (!parse_directive(line.substr(2), &out)) {
      return Error(ErrorCode::kInvalid, fmt::format("line {}: not a directive: {}", number, line));
    }
  }
  return out;
}

std::optional<std::string> register_text(const UserState& state, const std::string& name) {
  const auto* gpr = std::find(kGprNames.begin(), kGprNames.end(), name);
  if (gpr != kGprNames.end()) return fmt::format("{:x}", state.gpr[static_cast<std::size_t>(gpr - kGprNames.begin())]);
  if (name == "rip") return fmt::format("{:x}", state.rip);
  if (name == "mxcsr") return number_text(state.fx.data() + kFxMxcsr, 4);
  if (name == "fcw") return number_text(state.fx.data() + kFxControl, 2);
  if (name == "fsw") return number_text(state.fx.data() + kFxStatus, 2);
  if (name == "ftw") return number_text(state.fx.data() + kFxTag, 1);
  for (unsigned i = 0; i < 16; ++i) {
    if (name == fmt::format("xmm{}", i)) return number_text(state.fx.data() + kFxXmm + 16 * i, 16);
    if (name == fmt::format("ymmh{}", i)) return number_text(state.ymm.data() + 16 * i, 16);
  }
  for (unsigned i = 0; i < 8; ++i) {
    if (name == fmt::format("st{}", i)) return number_text(state.fx.data() + kFxSt + 16 * i, 10);
  }
  return std::nullopt;
}

std::string flags_text(u64 rflags) {
  std::string text;
  for (const FlagName& flag : kFlagNames) {
    if ((rflags & flag.bit) != 0) text += (text.empty() ? "" : ",") + std::string(flag.name);
  }
  return text.empty() ? "none" : text;
}

std::string ending_text(const Outcome& outcome) {
  switch (outcome.ending) {
    case Ending::kExit: return "exit";
    case Ending::kException: return fmt::format("exception {} at {:#x}", outcome.vector, outcome.state.rip);
    case Ending::kTimeout: return fmt::format("timeout at {:#x}", outcome.state.rip);
    case Ending::kCrash: return "crash";
  }
  return {};
}

std::string state_text(const Outcome& outcome) {
  std::string text = ending_text(outcome) + "\n rflags=" + flags_text(outcome.state.rflags);
  for (const std::string& name : all_registers()) {
    const std::string value = *register_text(outcome.state, name);
    if (value != "0") text += fmt::format(" {}=0x{}", name, value);
  }
  return text;
}

std::vector<std::string> violations(const Expectation& expected, const Outcome& outcome) {
  std::vector<std::string> found;
  const bool as_declared = expected.exception
                               ? outcome.ending == Ending::kException && outcome.vector == *expected.exception
                               : outcome.ending == Ending::kExit;
  if (!as_declared) found.push_back("ends with " + ending_text(outcome));
  for (const auto& [name, value] : expected.registers) {
    const std::string is = name == "cr2" ? fmt::format("{:x}", outcome.cr2) : *register_text(outcome.state, name);
    if (is != value) found.push_back(fmt::format("{}=0x{}, declared 0x{}", name, is, value));
  }
  const u64 mask = kNamedFlags & ~expected.undefined_flags;
  if (expected.rflags && (*expected.rflags & mask) != (outcome.state.rflags & mask)) {
    found.push_back(
        fmt::format("rflags={}, declared {}", flags_text(outcome.state.rflags), flags_text(*expected.rflags)));
  }
  return found;
}

std::vector<std::string> differences(const Expectation& expected, const Outcome& one, const Outcome& other) {
  std::vector<std::string> found;
  if (one.ending != other.ending || one.vector != other.vector || one.cr2 != other.cr2) {
    found.push_back(
        fmt::format("{} (CR2 {:#x}) and {} (CR2 {:#x})", ending_text(one), one.cr2, ending_text(other), other.cr2));
  }
  if (one.page_fault != other.page_fault) {
    found.push_back(fmt::format("#PF error code {:#x} and {:#x}, less P and U", one.page_fault, other.page_fault));
  }
  for (const std::string& name : all_registers()) {
    if (std::find(expected.varies.begin(), expected.varies.end(), name) != expected.varies.end()) continue;
    const std::string a = *register_text(one.state, name);
    const std::string b = *register_text(other.state, name);
    if (a != b) found.push_back(fmt::format("{}=0x{} and 0x{}", name, a, b));
  }
  const u64 mask = kNamedFlags & ~expected.undefined_flags;
  if (((one.state.rflags ^ other.state.rflags) & mask) != 0) {
    found.push_back(fmt::format("rflags={} and {}", flags_text(one.state.rflags), flags_text(other.state.rflags)));
  }
  return found;
}

}  // namespace pileus::cpu_test
