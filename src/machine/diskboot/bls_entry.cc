#include "machine/diskboot/bls_entry.h"

#include <algorithm>

namespace pileus::machine {

namespace {
constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void apply(std::string_view key, const std::string& value, BootRecipe& recipe) {
  if (key == "title") recipe.title = value;
  if (key == "linux") recipe.kernel_path = value;
  if (key == "initrd") recipe.initrd_paths.push_back(value);
  if (key == "options") recipe.command_line += (recipe.command_line.empty() ? "" : " ") + value;
}
}  // namespace

Result<BootRecipe> parse_bls_entry(std::string_view text, const Variables& variables) {
  BootRecipe recipe;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t blank = line.find_first_of(kBlanks);
    if (line.starts_with('#') || blank == std::string_view::npos) continue;
    const std::string value(trim(expand_variables(line.substr(blank), variables)));
    if (!value.empty()) apply(line.substr(0, blank), value, recipe);
  }
  if (recipe.kernel_path.empty()) return Error(ErrorCode::kNotFound, "names no Linux kernel");
  return recipe;
}

}  // namespace pileus::machine
