// What the administrator asked for, out of argv.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/ints.h"

namespace pileus::cloudd {

struct Options {
  std::string data;
  std::string state;    // empty: SQLite in `data`
  std::string address = "127.0.0.1";
  std::string host_address;  // empty: `address`
  u16 port = 8773;
  u16 host_port = 8774;
  std::vector<std::string> host_names;  // at which hosts reach us, beside 127.0.0.1 and localhost
  std::string region = "pileus-1";
  std::vector<std::string> zones;  // empty: the region's name and an 'a'
  std::string console;  // folder of the web console; empty: looked for
  std::string placement = "pack";
  u32 request_rate = 1000;
  u32 request_burst = 5000;
  u32 simulate = 0;
  bool print_api = false;
};

// An int is the exit status of a program that is done: help was printed, or what is wrong was said.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace pileus::cloudd
