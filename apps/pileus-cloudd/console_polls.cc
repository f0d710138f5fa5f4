#include "console_polls.h"

#include <charconv>

#include "control/host_protocol.h"
#include "json_response.h"

namespace pileus::cloudd {
http::Response ConsolePolls::wait(model::HostId host, const std::string& query) {
  constexpr std::string_view kAfter = "after=";
  u64 after = 0;
  if (!query.starts_with(kAfter)) return json_response(400, R"({"error": "name what comes after: ?after=0"})");
  const char* end = query.data() + query.size();
  const auto [stopped, problem] = std::from_chars(query.data() + kAfter.size(), end, after);
  if (problem != std::errc() || stopped != end) return json_response(400, R"({"error": "after= is a number"})");
  // Under the lock, so that what comes in between finds this call waiting.
  const std::lock_guard lock(mutex_);
  const control::ConsoleWishes now = exchange_.wishes(host, after);
  if (now.sequence > after) return json_response(200, encode(now));
  http::Response response;
  response.later = http::Later::create(control::kLongPoll, json_response(200, encode(now)));
  std::erase_if(waiting_, [](const Waiting& each) { return each.later->done(); });
  waiting_.push_back({host, after, response.later});
  return response;
}

void ConsolePolls::answer(model::HostId host) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const Waiting& each) {
    if (each.host != host) return each.later->done();
    each.later->complete(json_response(200, encode(exchange_.wishes(host, each.after))));
    return true;
  });
}

http::Response ConsolePolls::output(model::HostId host, const std::string& body) {
  const Result<control::ConsoleOutput> message = control::parse_console_output(body);
  if (!message) return json_response(400, R"({"error": "the console's output cannot be read"})");
  exchange_.put_output(host, *message);
  return json_response(200, "{}");
}

}  // namespace pileus::cloudd
