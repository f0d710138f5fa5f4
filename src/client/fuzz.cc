#include "client/fuzz.h"

#include <string>

#include "base/result.h"
#include "client/events.h"

namespace pileus::client {
namespace {

std::string read_all(EventReader& reader) {
  std::string text;
  while (const std::optional<Event> event = reader.next()) {
    CHECK(!event->name.empty());
    text += event->name + ":" + event->data + ";";
  }
  return text;
}

}  // namespace

void fuzz_events(std::span<const u8> input) {
  if (input.empty()) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  const std::size_t cut = input[0] % (text.size() + 1);
  EventReader whole;
  EventReader parts;
  CHECK(whole.append(text));
  CHECK(parts.append(text.substr(0, cut)));
  std::string found = read_all(parts);
  CHECK(parts.append(text.substr(cut)));
  found += read_all(parts);
  CHECK(found == read_all(whole));
}

}  // namespace pileus::client
