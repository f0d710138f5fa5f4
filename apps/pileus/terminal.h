// The person's terminal while it is a console of a machine.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace pileus::cli {

// The terminal passes every key on, until destroyed.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_ = {};
  bool changed_ = false;
};

struct Keys {
  std::string typed;
  bool last = false;  // the input has ended, or the person leaves by Ctrl-]
};
// One read of the standard input, which has something; nothing when a signal came first.
std::optional<Keys> read_keys();

}  // namespace pileus::cli
