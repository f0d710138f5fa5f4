// Folded stacks: a profile as text, one line for each stack, from the outermost frame to the innermost, with how often it
// was seen. What flame graphs are drawn from, and what other tools for them read.
//
//   line  := frame { ';' frame } ' ' COUNT '\n'
//
// Here the first frame says what the vCPU did ("guest code", "interpreting", ...), the others are functions of the
// guest's kernel, "user" for its user mode and "[module]" or "[unknown]" for kernel code without a name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "debug/profile/kallsyms.h"
#include "engine/profile.h"

namespace pileus::debug {

using Folded = std::map<std::vector<std::string>, u64>;  // frames, the outermost first; how often

Folded fold(const engine::Profile& profile, const SymbolTable& symbols);

std::string encode_folded(const Folded& folded);
// Nothing when a line is none.
std::optional<Folded> parse_folded(std::string_view text);

}  // namespace pileus::debug
