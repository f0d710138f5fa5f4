#include "cloud/new_text.h"

namespace pileus::cli {

std::string_view new_text(std::string_view before, std::string_view now) {
  for (std::size_t dropped = 0; dropped < before.size(); ++dropped) {
    const std::string_view end = before.substr(dropped);
    if (now.starts_with(end)) return now.substr(end.size());
  }
  return now;
}

}  // namespace pileus::cli
