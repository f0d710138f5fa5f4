// Following a text of which one sees the end only.
#pragma once

#include <string_view>

namespace pileus::cli {

// What `now` has beyond `before`, both being ends of one growing text: what follows the longest end of `before` with which
// `now` begins. All of `now` when they have nothing in common.
std::string_view new_text(std::string_view before, std::string_view now);

}  // namespace pileus::cli
