// What happened to an object and why: a bounded list at each object.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct Event {
  Millis at = 0;
  std::string by;    // the controller, host or account
  std::string what;  // "placed", "pending -> running"
  std::string why;   // a sentence; may be empty
  bool operator==(const Event&) const = default;
};

inline constexpr std::size_t kMaxEvents = 32;
inline constexpr std::size_t kMaxEventText = 512;  // bytes of `why`; more is cut

struct EventLog {
  u64 dropped = 0;  // older ones
  std::vector<Event> events;  // oldest first
  bool operator==(const EventLog&) const = default;
};

// Appends, and forgets the oldest beyond kMaxEvents.
void append(EventLog& log, Event event);

// What a token of a client answered, and for which parameters.
struct Idempotency {
  std::string parameters;  // a canonical form, or a digest of it
  std::string answer;      // for the API to make the same answer of
  Millis created_at = 0;
  bool operator==(const Idempotency&) const = default;
};

// Signed requests that changed something, so that nobody sends them a second time.
struct ServedRequests {
  std::vector<std::string> signatures;  // digests of them
  Millis served_at = 0;
  Millis good_until = 0;  // then their own dates refuse them
  bool operator==(const ServedRequests&) const = default;
};

}  // namespace pileus::model
