// What hosts and the cloud manager say to each other of serial consoles that people have open
// (docs/formats/host-protocol.md), as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "model/id.h"

namespace pileus::control {

// ?after=SEQUENCE: waits until there is more than that, at most kLongPoll (host_protocol.h).
inline constexpr std::string_view kConsoleWishesPath = "/v1/console-wishes";
inline constexpr std::string_view kConsoleOutputPath = "/v1/console-output";

// What was typed. A host that has written it to the guest asks for what comes after its sequence.
struct ConsoleInput {
  u64 sequence = 0;
  model::InstanceId id;
  std::string data;
};
struct ConsoleWishes {
  u64 sequence = 0;                      // of the latest change
  std::vector<model::InstanceId> open;  // all that are watched on this host
  std::vector<ConsoleInput> input;       // in order
};

// What a guest has written; or, with `ended`, why there will be no more.
struct ConsoleOutput {
  model::InstanceId id;
  std::string data;
  std::string ended;
};

std::string encode(const ConsoleWishes& message);
std::string encode(const ConsoleOutput& message);

// kCorrupt: not JSON, a field missing or of the wrong kind, too long.
Result<ConsoleWishes> parse_console_wishes(std::string_view text);
Result<ConsoleOutput> parse_console_output(std::string_view text);

}  // namespace pileus::control
