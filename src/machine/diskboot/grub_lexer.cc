#include "machine/diskboot/grub_lexer.h"

#include <algorithm>

namespace pileus::machine {

namespace {
// A word may not grow beyond this by repeated expansion of variables into each other.
constexpr std::size_t kMaxWord = 64 * 1024;

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';'; }
}  // namespace

void take_variable(std::string_view& rest, const Variables& variables, std::string& out) {
  const bool braced = rest.starts_with('{');
  if (braced) rest.remove_prefix(1);
  std::size_t length = 0;
  while (length < rest.size() && (braced ? rest[length] != '}' && rest[length] != '\n' : is_name(rest[length])))
    ++length;
  const std::string name(rest.substr(0, length));
  rest.remove_prefix(length);
  if (braced && rest.starts_with('}')) rest.remove_prefix(1);
  const auto found = variables.find(name);
  if (found != variables.end() && out.size() + found->second.size() <= kMaxWord) out += found->second;
}

char GrubLexer::take() {
  const char c = rest_.front();
  rest_.remove_prefix(1);
  return c;
}

// Skips blanks, joined lines and comments; false at the end of the command.
bool GrubLexer::skip_blank() {
  while (!rest_.empty()) {
    if (rest_.starts_with("\\\n")) {
      rest_.remove_prefix(2);
    } else if (rest_.front() == '#') {
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    } else if (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\r') {
      take();
    } else {
      return rest_.front() != '\n' && rest_.front() != ';';
    }
  }
  return false;
}

std::optional<GrubCommand> GrubLexer::next(const Variables& variables) {
  GrubCommand command;
  while (!rest_.empty()) {
    if (!skip_blank()) {
      if (!command.empty()) break;
      if (!rest_.empty()) take();
      continue;
    }
    const bool quoted = rest_.front() == '\'' || rest_.front() == '"';
    // "}" closes a block even when the command before it was not ended.
    if (rest_.front() == '}' && !command.empty()) break;
    std::string text = word(variables);
    const bool brace = !quoted && (text == "{" || text == "}");
    // A variable that is empty and not quoted is no word at all.
    if (!text.empty() || quoted) command.push_back(std::move(text));
    if (brace) break;
  }
  if (command.empty()) return std::nullopt;
  return command;
}

std::string GrubLexer::word(const Variables& variables) {
  std::string out;
  if (rest_.front() == '}' || (rest_.front() == '{' && (rest_.size() == 1 || ends_word(rest_[1])))) {
    return std::string(1, take());
  }
  while (!rest_.empty() && !ends_word(rest_.front())) {
    const char c = take();
    if (c == '\'') {
      single_quoted(out);
    } else if (c == '"') {
      double_quoted(variables, out);
    } else if (c == '$') {
      take_variable(rest_, variables, out);
    } else if (c == '\\' && !rest_.empty()) {
      const char escaped = take();
      if (escaped != '\n') out.push_back(escaped);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void GrubLexer::single_quoted(std::string& out) {
  const std::size_t end = std::min(rest_.find('\''), rest_.size());
  out.append(rest_.substr(0, end));
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
}

void GrubLexer::double_quoted(const Variables& variables, std::string& out) {
  while (!rest_.empty()) {
    const char c = take();
    if (c == '"') return;
    if (c == '$') {
      take_variable(rest_, variables, out);
    } else if (c == '\\' && !rest_.empty() && (rest_.front() == '"' || rest_.front() == '$' || rest_.front() == '\\')) {
      out.push_back(take());
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace pileus::machine
