#include "client/events.h"

#include <utility>

namespace pileus::client {

std::optional<Event> EventReader::next() {
  constexpr std::string_view kName = "event: ";
  constexpr std::string_view kData = "data: ";
  while (std::optional<std::string> line = lines_.next()) {
    if (line->ends_with('\r')) line->pop_back();
    if (line->starts_with(kName)) event_.name = line->substr(kName.size());
    if (line->starts_with(kData)) event_.data = line->substr(kData.size());
    if (line->empty() && !event_.name.empty()) return std::exchange(event_, {});
  }
  return {};
}

}  // namespace pileus::client
