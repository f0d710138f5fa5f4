#include "control/fuzz.h"

#include "control/console_protocol.h"
#include "control/host_protocol.h"
#include "control/network_protocol.h"

namespace pileus::control {
namespace {

template <typename Message>
void check(const Result<Message>& message, Result<Message> (*parse)(std::string_view)) {
  if (!message) return;
  const std::string text = encode(*message);
  const Result<Message> again = parse(text);
  CHECK(again.ok());
  CHECK(encode(*again) == text);
}

}  // namespace

void fuzz_host_message(std::span<const u8> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  check(parse_join_request(text), parse_join_request);
  check(parse_join_answer(text), parse_join_answer);
  check(parse_host_report(text), parse_host_report);
  check(parse_report_answer(text), parse_report_answer);
  check(parse_assignments(text), parse_assignments);
  check(parse_observation(text), parse_observation);
  check(parse_volume_observation(text), parse_volume_observation);
  check(parse_snapshot_observation(text), parse_snapshot_observation);
  check(parse_host_network(text), parse_host_network);
  check(parse_console_wishes(text), parse_console_wishes);
  check(parse_console_output(text), parse_console_output);
}

}  // namespace pileus::control
