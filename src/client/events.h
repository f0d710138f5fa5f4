// EventReader: server-sent events out of a stream's bytes. Source: WHATWG HTML, "Server-sent events"; what our streams
// do not use (id, retry, several lines of data) is skipped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ints.h"
#include "os/unix_socket.h"

namespace pileus::client {

struct Event {
  std::string name;
  std::string data;
};

class EventReader {
 public:
  // False when a line is longer than any of ours: it is no such stream.
  [[nodiscard]] bool append(std::string_view bytes) { return lines_.append(bytes); }
  // The next whole event.
  std::optional<Event> next();

 private:
  static constexpr std::size_t kMaxLine = 1 * kMiB;
  os::LineBuffer lines_{kMaxLine};
  Event event_;
};

}  // namespace pileus::client
