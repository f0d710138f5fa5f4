#include "debug/profile/folding.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace pileus::debug {

namespace {

constexpr u64 kModules = 0xFFFFFFFFC0000000;  // where Linux puts them (Documentation/x86/x86_64/mm.rst)

// A frame's separators in a name would make two of it.
std::string clean(std::string_view name) {
  std::string text(name);
  for (char& letter : text) {
    if (letter == ';' || letter == '\n' || static_cast<unsigned char>(letter) < ' ') letter = '_';
  }
  return text;
}

std::string name_of(u64 address, const SymbolTable& symbols) {
  const std::string_view name = symbols.find(address);
  if (!name.empty()) return clean(name);
  return address >= kModules ? "[module]" : "[unknown]";
}

}  // namespace

Folded fold(const engine::Profile& profile, const SymbolTable& symbols) {
  Folded folded;
  for (const engine::ProfileEntry& entry : profile.entries) {
    std::vector<std::string> frames{engine::activity_name(entry.activity)};
    if (entry.user) {
      frames.emplace_back("user");
    } else {
      std::transform(entry.stack.rbegin(), entry.stack.rend(), std::back_inserter(frames),
                     [&](u64 address) { return name_of(address, symbols); });
    }
    folded[frames] += entry.count;
  }
  return folded;
}

std::string encode_folded(const Folded& folded) {
  std::string text;
  for (const auto& [frames, count] : folded) {
    for (std::size_t i = 0; i < frames.size(); ++i) text += (i == 0 ? "" : ";") + frames[i];
    text += " " + std::to_string(count) + "\n";
  }
  return text;
}

std::optional<Folded> parse_folded(std::string_view text) {
  Folded folded;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t space = line.rfind(' ');
    if (space == std::string_view::npos || space == 0) return {};
    u64 count = 0;
    const std::string_view number = line.substr(space + 1);
    const auto [at, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc() || at != number.data() + number.size()) return {};
    line = line.substr(0, space);
    std::vector<std::string> frames;
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t to = std::min(line.find(';', from), line.size());
      frames.emplace_back(line.substr(from, to - from));
      from = to + 1;
    }
    folded[frames] += count;
  }
  return folded;
}

}  // namespace pileus::debug
