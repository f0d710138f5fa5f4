#include "vmm/vm_directory.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

namespace pileus::vmm {
namespace {

using Json = nlohmann::json;
constexpr std::array kPhases = {VmPhase::kStarting, VmPhase::kRunning, VmPhase::kStopping, VmPhase::kStopped,
                                VmPhase::kKilled,   VmPhase::kCrashed, VmPhase::kFailed};

// For what folders of earlier versions lack.
std::string text_or_empty(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

const char* phase_name(VmPhase phase) {
  switch (phase) {
    case VmPhase::kStarting: return "starting";
    case VmPhase::kRunning: return "running";
    case VmPhase::kStopping: return "stopping";
    case VmPhase::kStopped: return "stopped";
    case VmPhase::kKilled: return "killed";
    case VmPhase::kCrashed: return "crashed";
    case VmPhase::kFailed: return "failed";
  }
  return "failed";
}

bool is_alive(VmPhase phase) {
  return phase == VmPhase::kStarting || phase == VmPhase::kRunning || phase == VmPhase::kStopping;
}

std::string encode_state(const VmState& state) {
  Json object = {{"phase", phase_name(state.phase)},       {"pid", state.pid},
                 {"started_unix_s", state.started_unix_s}, {"message", state.message},
                 {"engine_used", state.engine_used},       {"engine_reason", state.engine_reason}};
  if (!state.waiting_disks.empty()) object["waiting_disks"] = state.waiting_disks;
  if (state.exit_code) object["exit_code"] = *state.exit_code;
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<VmState> parse_state(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  const Error corrupt(ErrorCode::kCorrupt, "state.json is damaged");
  if (!object.is_object()) return corrupt;
  for (const char* key : {"pid", "started_unix_s"}) {
    if (!object.contains(key) || !object[key].is_number_integer()) return corrupt;
  }
  for (const char* key : {"phase", "message"}) {
    if (!object.contains(key) || !object[key].is_string()) return corrupt;
  }
  VmState state;
  state.pid = object["pid"].get<i64>();
  state.started_unix_s = object["started_unix_s"].get<i64>();
  state.message = object["message"].get<std::string>();
  state.engine_used = text_or_empty(object, "engine_used");
  state.engine_reason = text_or_empty(object, "engine_reason");
  if (const auto disks = object.find("waiting_disks"); disks != object.end()) {
    if (!disks->is_array()) return corrupt;
    for (const Json& disk : *disks) {
      if (!disk.is_string()) return corrupt;
      state.waiting_disks.push_back(disk.get<std::string>());
    }
  }
  if (const auto code = object.find("exit_code"); code != object.end()) {
    if (!code->is_number_unsigned() || code->get<u64>() > std::numeric_limits<u32>::max()) return corrupt;
    state.exit_code = code->get<u32>();
  }
  const std::string name = object["phase"].get<std::string>();
  for (const VmPhase phase : kPhases) {
    if (name == phase_name(phase)) {
      state.phase = phase;
      return state;
    }
  }
  return corrupt;
}

Result<VmConfig> VmDirectory::config() const {
  const std::string text = TRY(os::read_file(path_ / "config.json"));
  return parse_config(text).with(path_.string());
}

Result<> VmDirectory::save_config(const VmConfig& config) const {
  return os::replace_file(path_ / "config.json", encode_config(config));
}

VmState VmDirectory::state() const {
  // The lock first: a VMM that ends in between has written its last state before it let go.
  const bool alive = in_use();
  const Result<std::string> text = os::read_file(path_ / "state.json");
  VmState state;
  if (text) {
    Result<VmState> parsed = parse_state(*text);
    if (parsed) state = std::move(parsed).value();
  }
  if (alive && !is_alive(state.phase)) {
    state.phase = VmPhase::kStarting;
    state.message.clear();
  } else if (!alive && is_alive(state.phase)) {
    state.phase = VmPhase::kKilled;
    state.message = "its pileus-vmm was killed";
  }
  if (!alive) {
    state.pid = 0;
    state.waiting_disks.clear();
  }
  return state;
}

Result<> VmDirectory::save_state(const VmState& state) const {
  return os::replace_file(path_ / "state.json", encode_state(state));
}

}  // namespace pileus::vmm
