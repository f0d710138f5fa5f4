#include <fmt/format.h>

#include "ec2/instances/objects.h"
#include "ec2/live/handlers.h"
#include "http/base64.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxTyped = 16 * kKiB;

Reply<Live*> live_of(const Call& call) {
  if (call.settings.live != nullptr) return call.settings.live;
  return ApiError("UnsupportedOperation", "This cloud offers no live data");
}

ApiError console_error(const Error& error) {
  if (error.code() == ErrorCode::kNotFound) return {"IncorrectState", error.message()};
  if (error.code() == ErrorCode::kExhausted) return {"RequestLimitExceeded", error.message(), 503};
  return internal_error(error);
}

}  // namespace

Reply<> pileus_open_events(Call& call, pugi::xml_node answer) {
  Live* live = TRY(live_of(call));
  add(answer, "path", TRY(live->open_changes(call.account)));
  return {};
}

Reply<> pileus_open_console(Call& call, pugi::xml_node answer) {
  Live* live = TRY(live_of(call));
  const InstanceEntry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  if (entry.observed.state != model::InstanceState::kRunning || !entry.placed.host) {
    return ApiError("IncorrectInstanceState",
                    "The instance '" + entry.desired.id.text() + "' does not run: it has a console while it does");
  }
  Result<std::string> path = live->open_console(entry.placed);
  if (!path) return console_error(path.error());
  add(answer, "path", *path);
  return {};
}

Reply<> pileus_send_console_input(Call& call, pugi::xml_node answer) {
  Live* live = TRY(live_of(call));
  const InstanceEntry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  const std::optional<std::string> data = http::decode_base64(call.parameters.get("Data"));
  if (!data) return ApiError("InvalidParameterValue", "Data is not base64");
  if (data->size() > kMaxTyped) return ApiError("InvalidParameterValue", "Data has more than 16 KiB: send it in parts");
  const Result<> typed = live->type(entry.desired.id, *data);
  if (!typed) return console_error(typed.error());
  add_flag(answer, "return", true);
  return {};
}

Reply<> pileus_get_metrics(Call& call, pugi::xml_node answer) {
  Live* live = TRY(live_of(call));
  const InstanceEntry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  add(answer, "instanceId", entry.desired.id.text());
  add_number(answer, "vcpus", entry.desired.takes.vcpus);
  add_number(answer, "memoryMiB", static_cast<i64>(entry.desired.takes.memory_mib));
  pugi::xml_node set = add(answer, "metricSet");
  for (const control::UsageSample& sample : live->usage(entry.desired.id)) {
    pugi::xml_node item = add_item(set);
    add_time(item, "at", static_cast<model::Millis>(sample.at_s) * 1000);
    add(item, "cpuPercent", fmt::format("{:.1f}", sample.cpu_percent));
    add_number(item, "memoryMiB", static_cast<i64>(sample.memory_mib));
    add_number(item, "diskReadBytesPerSecond", static_cast<i64>(sample.disk_read));
    add_number(item, "diskWrittenBytesPerSecond", static_cast<i64>(sample.disk_written));
    add_number(item, "networkInBytesPerSecond", static_cast<i64>(sample.network_in));
    add_number(item, "networkOutBytesPerSecond", static_cast<i64>(sample.network_out));
  }
  return {};
}

}  // namespace pileus::ec2
