// What the administrator asked for, out of argv.
#pragma once

#include <string>
#include <variant>

namespace pileus::hostd {

struct Options {
  std::string data;
  std::string cloud;
  std::string token;
  std::string manager;  // folder of the cloud manager on this machine; may be empty
  std::string name;
  std::string zone;
  std::string rack;
  std::string tunnel;
};

// An int is the exit status of a program that is done: help was printed, or what is wrong was said.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace pileus::hostd
