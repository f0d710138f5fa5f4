#include "vmm/control_protocol.h"

#include <array>
#include <nlohmann/json.hpp>

namespace pileus::vmm {
namespace {

using Json = nlohmann::json;

struct Name {
  Command command;
  const char* text;
};
constexpr std::array kNames = {Name{Command::kStatus, "status"},
                               Name{Command::kStats, "stats"},
                               Name{Command::kStop, "stop"},
                               Name{Command::kKill, "kill"},
                               Name{Command::kReset, "reset"},
                               Name{Command::kNmi, "nmi"},
                               Name{Command::kProfileStart, "profile-start"},
                               Name{Command::kProfileStop, "profile-stop"}};

std::string line(const Json& object) { return object.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n"; }

// JSON nested this deep is no request of ours, and deep nesting costs stack.
constexpr int kMaxDepth = 4;

Json parse_shallow(std::string_view text) {
  bool too_deep = false;
  const Json::parser_callback_t limit = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  Json value = Json::parse(text, limit, false);
  return too_deep ? Json(Json::value_t::discarded) : value;
}

}  // namespace

std::string encode_request(Command command) {
  for (const Name& name : kNames) {
    if (name.command == command) return line({{"command", name.text}});
  }
  return {};
}

Result<Command> parse_request(std::string_view text) {
  const Json object = parse_shallow(text);
  if (!object.is_object()) return Error(ErrorCode::kInvalid, "a request is one JSON object a line");
  const auto found = object.find("command");
  if (found == object.end() || !found->is_string()) {
    return Error(ErrorCode::kInvalid, "a request has a \"command\"");
  }
  const std::string& wanted = found->get_ref<const std::string&>();
  for (const Name& name : kNames) {
    if (wanted == name.text) return name.command;
  }
  return Error(ErrorCode::kInvalid,
               "unknown command: use status, stats, stop, kill, reset, nmi, profile-start or profile-stop");
}

std::string encode_ok() { return line({{"ok", true}}); }

std::string encode_error(const Error& error) { return line({{"ok", false}, {"error", error.message()}}); }

std::string encode_status_reply(const VmState& state) {
  return line({{"ok", true},
               {"phase", phase_name(state.phase)},
               {"pid", state.pid},
               {"started_unix_s", state.started_unix_s},
               {"message", state.message}});
}

std::string encode_stats_reply(const engine::Counters& counters) {
  Json values = Json::object();
  for (const auto& [name, value] : counters) values[name] = value;
  return line({{"ok", true}, {"counters", values}});
}

}  // namespace pileus::vmm
