#include "vmm/control_protocol.h"

#include <array>
#include <nlohmann/json.hpp>

#include "vmm/internal/json_reader.h"

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
                               Name{Command::kProfileStop, "profile-stop"},
                               Name{Command::kDiskList, "disk-list"},
                               Name{Command::kDiskAttach, "disk-attach"},
                               Name{Command::kDiskDetach, "disk-detach"},
                               Name{Command::kDiskResize, "disk-resize"},
                               Name{Command::kDiskSnapshot, "disk-snapshot"}};

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

Result<DiskArguments> parse_disk_arguments(const Json& object) {
  DiskArguments arguments;
  JsonReader reader(object);
  if (reader.has("disks")) reader.texts("disks", arguments.disks);
  if (reader.has("path")) reader.text("path", arguments.path);
  if (reader.has("device")) reader.text("device", arguments.device);
  if (reader.has("mark")) reader.text("mark", arguments.mark);
  if (reader.has("read_only")) reader.flag("read_only", arguments.read_only);
  if (reader.has("force")) reader.flag("force", arguments.force);
  if (reader.has("bytes")) reader.number("bytes", arguments.bytes);
  if (reader.wrong().empty()) return arguments;
  return Error(ErrorCode::kInvalid, "the request's \"" + reader.wrong() + "\" is of the wrong kind");
}

}  // namespace

// Fields that say nothing are left out.
std::string encode_request(const Request& request) {
  Json object = Json::object();
  for (const Name& name : kNames) {
    if (name.command == request.command) object["command"] = name.text;
  }
  const DiskArguments& disk = request.disk;
  if (!disk.disks.empty()) object["disks"] = disk.disks;
  if (!disk.path.empty()) object["path"] = disk.path;
  if (!disk.device.empty()) object["device"] = disk.device;
  if (!disk.mark.empty()) object["mark"] = disk.mark;
  if (disk.read_only) object["read_only"] = true;
  if (disk.force) object["force"] = true;
  if (disk.bytes != 0) object["bytes"] = disk.bytes;
  return line(object);
}

Result<Request> parse_request(std::string_view text) {
  const Json object = parse_shallow(text);
  if (!object.is_object()) return Error(ErrorCode::kInvalid, "a request is one JSON object a line");
  const auto found = object.find("command");
  if (found == object.end() || !found->is_string()) {
    return Error(ErrorCode::kInvalid, "a request has a \"command\"");
  }
  const std::string& wanted = found->get_ref<const std::string&>();
  std::string known;
  for (const Name& name : kNames) {
    if (wanted == name.text) return Request(name.command, TRY(parse_disk_arguments(object)));
    known += (known.empty() ? "" : ", ") + std::string(name.text);
  }
  return Error(ErrorCode::kInvalid, "unknown command: there are " + known);
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

std::string encode_disks_reply(const std::vector<DiskStatus>& disks) {
  Json list = Json::array();
  for (const DiskStatus& disk : disks) {
    list.push_back({{"id", disk.id},
                    {"path", disk.path},
                    {"device", disk.device},
                    {"bytes", disk.bytes},
                    {"read_only", disk.read_only},
                    {"place", disk.place},
                    {"layers", disk.layers},
                    {"detaching", disk.detaching}});
  }
  return line({{"ok", true}, {"disks", list}});
}

std::string encode_stats_reply(const engine::Counters& counters) {
  Json values = Json::object();
  for (const auto& [name, value] : counters) values[name] = value;
  return line({{"ok", true}, {"counters", values}});
}

}  // namespace pileus::vmm
