#include "model/event.h"

#include <algorithm>

namespace pileus::model {

void append(EventLog& log, Event event) {
  if (event.why.size() > kMaxEventText) event.why.resize(kMaxEventText);
  log.events.push_back(std::move(event));
  if (log.events.size() <= kMaxEvents) return;
  const std::size_t surplus = log.events.size() - kMaxEvents;
  log.events.erase(log.events.begin(), log.events.begin() + static_cast<std::ptrdiff_t>(surplus));
  log.dropped += surplus;
}

}  // namespace pileus::model
