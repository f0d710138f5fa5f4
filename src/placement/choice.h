// The one line of an explanation (explain() in decide.h) that says what was chosen, for logs of events.
#pragma once

#include <span>
#include <string>

namespace pileus::placement {

// Empty when nothing was.
std::string choice_of(std::span<const std::string> lines);

}  // namespace pileus::placement
