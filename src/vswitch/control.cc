#include "vswitch/control.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "os/file.h"

namespace pileus::vswitch {
namespace {

using Json = nlohmann::json;

std::string line_of(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string refusal(const std::string& why) { return line_of({{"ok", false}, {"error", why}}); }

std::string stats_of(const Switch& each) {
  Json ports = Json::object();
  for (const auto& [id, status] : each.status()) {
    const PortCounters& counters = status.counters;
    ports[id] = {{"connected", status.connected},
                 {"dropped", status.dropped},
                 {"from_guest", counters.from_guest},
                 {"to_guest", counters.to_guest},
                 {"bytes_from_guest", counters.bytes_from_guest},
                 {"bytes_to_guest", counters.bytes_to_guest},
                 {"spoofed", counters.spoofed},
                 {"refused", counters.refused},
                 {"malformed", counters.malformed},
                 {"unknown", counters.unknown}};
  }
  return line_of({{"ok", true}, {"ports", ports}});
}

void warn_of(const std::map<std::string, std::string>& problems) {
  for (const auto& [port, why] : problems) log::warn("{}: {}", port.empty() ? "tunnel" : port, why);
}

Result<Json> ask(const std::filesystem::path& folder, const Json& request) {
  const std::string line = TRY(os::ask_line(folder / "control.sock", line_of(request), kMaxReply).with("the switch"));
  Json reply = Json::parse(line, nullptr, false);
  if (reply.is_object() && reply.value("ok", Json(false)) == Json(true)) return reply;
  if (reply.is_object() && reply.contains("error") && reply["error"].is_string()) {
    return Error(ErrorCode::kInvalid, reply["error"].get<std::string>());
  }
  return Error(ErrorCode::kCorrupt, "the switch's answer makes no sense");
}

}  // namespace

Result<std::unique_ptr<Controlled>> Controlled::create(os::EventLoop& loop, const std::filesystem::path& folder) {
  std::unique_ptr<Switch> made = TRY(Switch::create(loop, folder / "ports"));
  std::unique_ptr<Controlled> self(new Controlled(folder, std::move(made)));
  const Result<std::string> before = os::read_file(folder / "config.json", kMaxRequest);
  if (before) {
    Result<Config> config = parse_config(*before);
    // Whoever manages this host will tell anew.
    if (!config) log::warn("{}: {}", (folder / "config.json").string(), config.error().message());
    else warn_of(self->switch_->apply(std::move(config).value()));
  }
  Controlled& controlled = *self;
  self->server_ = TRY(os::LineServer::create(loop, folder / "control.sock", kMaxRequest,
                                             [&controlled](std::string_view line) { return controlled.answer(line); }));
  return self;
}

std::string Controlled::answer(std::string_view line) {
  const Json request = Json::parse(line, nullptr, false);
  if (!request.is_object() || !request.contains("command")) return refusal("a request is an object with a command");
  const Json& command = request["command"];
  if (command == "stats") return stats_of(*switch_);
  if (command != "apply" || !request.contains("config")) return refusal("commands are apply, with a config, and stats");
  const std::string text = request["config"].dump();
  Result<Config> config = parse_config(text);
  if (!config) return refusal(config.error().message());
  const Result<> kept = os::replace_file(folder_ / "config.json", text, 0600);
  if (!kept) return refusal(kept.error().message());
  const std::map<std::string, std::string> problems = switch_->apply(std::move(config).value());
  warn_of(problems);
  return line_of({{"ok", true}, {"problems", problems}});
}

Result<std::map<std::string, std::string>> apply_to_switch(const std::filesystem::path& folder, const Config& config) {
  const Json reply = TRY(ask(folder, {{"command", "apply"}, {"config", Json::parse(encode(config))}}));
  std::map<std::string, std::string> problems;
  if (!reply.contains("problems") || !reply["problems"].is_object()) return problems;
  for (const auto& [port, why] : reply["problems"].items())
    problems[port] = why.is_string() ? why.get<std::string>() : "";
  return problems;
}

Result<std::string> ask_switch_stats(const std::filesystem::path& folder) {
  return TRY(ask(folder, {{"command", "stats"}})).dump();
}

}  // namespace pileus::vswitch
