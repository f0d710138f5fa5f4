// The hosts of the cloud: what they are, and what the administrator wants of them.
#include "ec2/own/handlers.h"
#include "model/host.h"

namespace pileus::ec2 {
namespace {

constexpr i64 kMaxPercent = 10'000;
constexpr i64 kMaxReservedMib = 24 * static_cast<i64>(kMiB);  // 24 TiB
constexpr std::size_t kMaxLabel = 64;

void write_resources(pugi::xml_node parent, const char* name, const model::Resources& resources) {
  pugi::xml_node node = add(parent, name);
  add_number(node, "vcpus", resources.vcpus);
  add_number(node, "memoryMiB", static_cast<i64>(resources.memory_mib));
  add_number(node, "diskGiB", static_cast<i64>(resources.disk_gib));
}

void write_list(pugi::xml_node parent, const char* name, const std::vector<std::string>& texts) {
  pugi::xml_node set = add(parent, name);
  for (const std::string& text : texts) add(set, "item", text);
}

void write_host(pugi::xml_node set, const control::HostView& host) {
  const model::HostDesired& desired = host.desired.value;
  const model::HostObserved& observed = host.observed.value;
  pugi::xml_node item = add_item(set);
  add(item, "hostId", desired.id.text());
  add(item, "name", desired.name);
  add(item, "mode", model::name(desired.mode));
  add(item, "state", host.health.exists() ? model::name(host.health.value.state) : "unknown");
  add(item, "availabilityZone", desired.zone);
  add(item, "rack", desired.rack);
  write_resources(item, "capacity", observed.capacity);
  write_resources(item, "sellable", model::sellable(desired, observed));
  write_resources(item, "claimed", host.claims.value.claimed);
  add_flag(item, "diskFull", observed.disk_full);
  add_number(item, "instances", host.claims.value.instances);
  write_list(item, "engineSet", observed.engines);
  add(item, "version", observed.version);
  add_time(item, "reportedAt", observed.reported_at);
}

// Reads the host that the request names, changes it and writes what happened, until nobody else changed it in between.
Reply<> change_host(Call& call, pugi::xml_node answer,
                    const std::function<Reply<model::Event>(model::HostDesired&)>& edit) {
  const model::HostId id = TRY(parse_host(call.parameters.get("HostId")));
  const auto attempt = [&]() -> Reply<bool> {
    auto host = TRY(control::read<model::HostDesired>(call.store, model::desired_key(id)));
    if (!host.exists()) return ApiError("InvalidHostID.NotFound", "The host '" + id.text() + "' does not exist");
    model::Event event = TRY(edit(host.value));
    event.at = call.clock.now();
    event.by = call.account.name;
    control::Change change;
    change.update(model::desired_key(id), host.value, host.revision);
    TRY(change.add_event(call.store, model::events_key(id), std::move(event)));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

// Leaves `percent` as it is where the request says nothing.
Reply<> read_percent(const Call& call, std::string_view name, u32& percent) {
  const i64 wished = TRY(call.parameters.integer(name, percent));
  if (wished < 1 || wished > kMaxPercent) {
    return ApiError("InvalidParameterValue", std::string(name) + " is 1 to " + std::to_string(kMaxPercent));
  }
  percent = static_cast<u32>(wished);
  return {};
}

}  // namespace

Reply<model::HostId> parse_host(const std::string& text) { return parse_id<model::HostId>(text, "HostID"); }

Reply<> pileus_describe_hosts(Call& call, pugi::xml_node answer) {
  const std::vector<std::string> ids = call.parameters.list("HostId");
  pugi::xml_node set = add(answer, "hostSet");
  std::size_t found = 0;
  TRY(call.catalogue.read([&](const control::View& view) {
    for (const auto& [id, host] : view.hosts()) {
      const std::string text = id.text();
      bool wanted = ids.empty();
      for (const std::string& each : ids) wanted |= each == text;
      if (!host.desired.exists() || !wanted) continue;
      write_host(set, host);
      ++found;
    }
  }));
  if (found >= ids.size()) return {};
  return ApiError("InvalidHostID.NotFound",
                  "One of the hosts does not exist: PileusDescribeHosts without ids lists them");
}

Reply<> pileus_set_host_mode(Call& call, pugi::xml_node answer) {
  const std::string& text = call.parameters.get("Mode");
  if (text != "active" && text != "maintenance") {
    return ApiError("InvalidParameterValue", "Mode is active or maintenance, not '" + text.substr(0, 40) + "'");
  }
  return change_host(call, answer, [&](model::HostDesired& host) -> Reply<model::Event> {
    host.mode = text == "active" ? model::HostMode::kActive : model::HostMode::kMaintenance;
    return model::Event{.at = 0, .by = "", .what = "mode " + text, .why = ""};
  });
}

Reply<> pileus_modify_host(Call& call, pugi::xml_node answer) {
  return change_host(call, answer, [&](model::HostDesired& host) -> Reply<model::Event> {
    TRY(read_percent(call, "VcpuPercent", host.cpu_percent));
    TRY(read_percent(call, "MemoryPercent", host.memory_percent));
    TRY(read_percent(call, "DiskPercent", host.disk_percent));
    const i64 reserved = TRY(call.parameters.integer("ReservedMemoryMiB", static_cast<i64>(host.reserved_memory_mib)));
    if (reserved < 0 || reserved > kMaxReservedMib) {
      return ApiError("InvalidParameterValue", "ReservedMemoryMiB is 0 to " + std::to_string(kMaxReservedMib));
    }
    host.reserved_memory_mib = static_cast<u64>(reserved);
    if (call.parameters.has("Rack")) host.rack = call.parameters.get("Rack");
    if (host.rack.size() > kMaxLabel) {
      return ApiError("InvalidParameterValue", "Rack has at most " + std::to_string(kMaxLabel) + " letters");
    }
    return model::Event{.at = 0,
                        .by = "",
                        .what = "settings changed",
                        .why = "sells " + std::to_string(host.cpu_percent) + " % of its processors, " +
                               std::to_string(host.memory_percent) + " % of its memory but " +
                               std::to_string(host.reserved_memory_mib) + " MiB, " + std::to_string(host.disk_percent) +
                               " % of its disk; rack '" + host.rack + "'"};
  });
}

}  // namespace pileus::ec2
