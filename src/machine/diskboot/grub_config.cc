#include "machine/diskboot/grub_config.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <span>

#include "machine/diskboot/grub_lexer.h"

namespace pileus::machine {

namespace {

constexpr unsigned kMaxDepth = 16;
constexpr std::size_t kMaxText = 4 * 1024 * 1024;
constexpr std::size_t kMaxVariables = 1000;

// A menuentry, or a submenu with entries inside.
struct Entry {
  GrubCommand names;  // the title, then whatever else may serve as its id
  BootRecipe recipe;
  std::vector<Entry> children;
};

std::string strip_device(const std::string& path) {
  if (!path.starts_with('(')) return path;
  const std::size_t end = path.find(')');
  return end == std::string::npos ? path : path.substr(end + 1);
}

std::string join(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool is_one_of(const std::string& word, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* item) { return word == item; });
}

class Parser {
 public:
  Parser(std::string_view text, Variables variables) : lexer_(text), variables_(std::move(variables)) {}

  // Fills `entries` and, inside an entry, `recipe` until the block's end. False: nested too deep.
  bool parse_block(std::vector<Entry>& entries, BootRecipe* recipe, unsigned depth) {
    if (depth > kMaxDepth) return false;
    while (auto command = lexer_.next(variables_)) {
      while (!command->empty() && is_one_of(command->front(), {"then", "else", "do"})) command->erase(command->begin());
      if (command->empty()) continue;
      if (command->front() == "}") {
        if (depth > 0) return true;
        continue;
      }
      if (command->back() == "{") {
        if (!parse_nested(*command, entries, recipe, depth)) return false;
      } else {
        execute(*command, recipe);
      }
    }
    return true;
  }

  const std::string& default_entry() { return variables_["default"]; }

 private:
  bool parse_nested(GrubCommand& command, std::vector<Entry>& entries, BootRecipe* recipe, unsigned depth) {
    command.pop_back();
    if (command.size() < 2 || !is_one_of(command.front(), {"menuentry", "submenu"})) {
      return parse_block(entries, recipe, depth + 1);  // a function, or a group
    }
    Entry entry;
    entry.names.assign(command.begin() + 1, command.end());
    entry.recipe.title = entry.names.front();
    // What an entry sets concerns only itself.
    Variables outer = variables_;
    const bool ok = parse_block(entry.children, &entry.recipe, depth + 1);
    variables_ = std::move(outer);
    if (ok) entries.push_back(std::move(entry));
    return ok;
  }

  void assign(const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos || variables_.size() >= kMaxVariables) return;
    variables_[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }

  void execute(const GrubCommand& command, BootRecipe* recipe) {
    const std::string& name = command.front();
    const std::span<const std::string> arguments(command.begin() + 1, command.end());
    if (name == "set" && !arguments.empty()) {
      assign(arguments[0]);
    } else if (arguments.empty() && name.find('=') != std::string::npos) {
      assign(name);
    } else if (recipe != nullptr && !arguments.empty()) {
      execute_in_entry(name, arguments, *recipe);
    }
  }

  static void execute_in_entry(const std::string& name, std::span<const std::string> arguments, BootRecipe& recipe) {
    if (is_one_of(name, {"linux", "linux16", "linuxefi"}) && recipe.kernel_path.empty()) {
      recipe.kernel_path = strip_device(arguments[0]);
      recipe.command_line = join(arguments.subspan(1));
    } else if (is_one_of(name, {"initrd", "initrd16", "initrdefi"}) && recipe.initrd_paths.empty()) {
      for (const std::string& path : arguments) recipe.initrd_paths.push_back(strip_device(path));
    } else if (name == "search" && std::find(arguments.begin(), arguments.end(), "--fs-uuid") != arguments.end()) {
      if (!arguments.back().starts_with("--")) recipe.filesystem_uuid = arguments.back();
    }
  }

  GrubLexer lexer_;
  Variables variables_;
};

// By number or by any of its names.
const Entry* choose(const std::vector<Entry>& entries, std::string_view wanted) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), index);
  if (error == std::errc() && end == wanted.data() + wanted.size())
    return index < entries.size() ? &entries[index] : nullptr;
  for (const Entry& entry : entries) {
    if (std::find(entry.names.begin(), entry.names.end(), wanted) != entry.names.end()) return &entry;
  }
  return nullptr;
}

// The first entry below `entries` that boots Linux.
const Entry* first_bootable(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (!entry.recipe.kernel_path.empty()) return &entry;
    if (const Entry* child = first_bootable(entry.children)) return child;
  }
  return nullptr;
}

// "a>b" is entry b of submenu a.
const Entry* follow(const std::vector<Entry>& entries, std::string_view path) {
  const std::vector<Entry>* level = &entries;
  const Entry* entry = nullptr;
  while (true) {
    const std::size_t separator = path.find('>');
    entry = choose(*level, path.substr(0, separator));
    if (entry == nullptr || separator == std::string_view::npos) break;
    level = &entry->children;
    path.remove_prefix(separator + 1);
  }
  if (entry != nullptr && entry->recipe.kernel_path.empty()) return first_bootable(entry->children);
  return entry;
}

}  // namespace

Variables parse_grub_environment(std::string_view text) {
  Variables variables;
  while (!text.empty() && variables.size() < kMaxVariables) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    variables[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  }
  return variables;
}

std::string expand_variables(std::string_view text, const Variables& variables) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '$') {
      take_variable(text, variables, out);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Result<BootRecipe> parse_grub_config(std::string_view text, Variables variables) {
  if (text.size() > kMaxText) return Error(ErrorCode::kCorrupt, "is too long to be a GRUB configuration");
  Parser parser(text, std::move(variables));
  std::vector<Entry> entries;
  if (!parser.parse_block(entries, nullptr, 0)) return Error(ErrorCode::kCorrupt, "is nested too deep");
  const Entry* entry = follow(entries, parser.default_entry());
  if (entry == nullptr) entry = first_bootable(entries);
  if (entry == nullptr) return Error(ErrorCode::kNotFound, "has no entry that boots Linux");
  return entry->recipe;
}

}  // namespace pileus::machine
