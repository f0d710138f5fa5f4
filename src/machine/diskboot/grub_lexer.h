// Commands of GRUB's shell-like language: words, with quotes removed and variables replaced.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/diskboot/grub_config.h"

namespace pileus::machine {

// One command. Braces that open and close blocks are words of their own.
using GrubCommand = std::vector<std::string>;

// Takes the name of a variable, which stands after a dollar, off `rest` and appends its value to
// `out`.
void take_variable(std::string_view& rest, const Variables& variables, std::string& out);

class GrubLexer {
 public:
  explicit GrubLexer(std::string_view text) : rest_(text) {}

  // The next command, not empty; nothing at the end. A lone "}" is a command; "{" ends one.
  // Variables are replaced by their values of this moment.
  std::optional<GrubCommand> next(const Variables& variables);

 private:
  bool skip_blank();
  std::string word(const Variables& variables);
  void single_quoted(std::string& out);
  void double_quoted(const Variables& variables, std::string& out);
  char take();

  std::string_view rest_;
};

}  // namespace pileus::machine
