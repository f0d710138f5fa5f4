// Completion scripts for shells.
#pragma once

#include <string>
#include <string_view>

namespace pileus::cli {

// The script for "bash", "zsh" or "fish"; empty for another.
std::string_view completion_script(std::string_view shell);

}  // namespace pileus::cli
