// A flame graph: a picture of folded stacks (folding.h). Each box is a function within its callers, below it; its width is
// how much of all time was spent in it and in what it called. One SVG file that needs no other and runs no script:
// the pointer over a box shows its whole name and its share.
#pragma once

#include <string>

#include "debug/profile/folding.h"

namespace pileus::debug {

std::string draw_flame_graph(const Folded& folded, const std::string& title);

// The same in words: the shares of what the vCPUs did, and the functions in which most of the time was spent themselves.
struct ProfileLine {
  std::string name;
  u64 count = 0;
};
struct ProfileTable {
  u64 total = 0;
  std::vector<ProfileLine> activities;  // most first
  std::vector<ProfileLine> functions;  // most first; of samples that were not of a halted vCPU
};
ProfileTable tabulate(const Folded& folded, std::size_t max_functions);

}  // namespace pileus::debug
