// The command line of pileus-switchd.
#pragma once

#include <string>
#include <variant>

namespace pileus::switchd {

struct Options {
  std::string data;
};

// The options, or the exit status when there is nothing more to do.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace pileus::switchd
