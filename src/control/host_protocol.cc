#include "control/host_protocol.h"

#include <algorithm>

#include "control/internal/disk_tasks.h"
#include "control/internal/message_fields.h"

namespace pileus::control {
namespace {

using internal::dump;
using internal::Json;
using internal::missing;
using internal::parse_object;
using internal::record_of;
using internal::text_of;
constexpr std::size_t kMaxConsole = 64 * kKiB;

struct UsageField {
  const char* name;
  u64 InstanceUsage::* member;
};
constexpr UsageField kUsageFields[] = {
    {"cpu_us", &InstanceUsage::cpu_us},
    {"memory_bytes", &InstanceUsage::memory_bytes},
    {"disk_read_bytes", &InstanceUsage::disk_read_bytes},
    {"disk_written_bytes", &InstanceUsage::disk_written_bytes},
    {"network_in_bytes", &InstanceUsage::network_in_bytes},
    {"network_out_bytes", &InstanceUsage::network_out_bytes},
};

Result<InstanceUsage> parse_usage(const Json& object) {
  if (!object.is_object()) return missing("usage");
  InstanceUsage usage;
  for (const UsageField& field : kUsageFields) {
    const auto found = object.find(field.name);
    if (found == object.end() || !found->is_number_unsigned()) return missing(field.name);
    usage.*field.member = found->get<u64>();
  }
  return usage;
}

Result<Assignment> parse_assignment(const Json& object) {
  Assignment assignment;
  if (!object.is_object()) return missing("instances");
  assignment.desired = TRY(record_of<model::InstanceDesired>(object, "desired"));
  assignment.placed = TRY(record_of<model::InstancePlaced>(object, "placed"));
  assignment.observed = TRY(record_of<model::InstanceObserved>(object, "observed"));
  assignment.image_name = TRY(text_of(object, "image_name"));
  assignment.public_key = TRY(text_of(object, "public_key"));
  assignment.private_address = TRY(text_of(object, "private_address"));
  assignment.mac = TRY(text_of(object, "mac"));
  const auto ports = object.find("open_ports");
  if (ports == object.end() || !ports->is_array()) return missing("open_ports");
  for (const Json& port : *ports) {
    if (!port.is_number_unsigned() || port.get<u64>() == 0 || port.get<u64>() > 65535) return missing("open_ports");
    assignment.open_ports.insert(port.get<u16>());
  }
  // A cloud manager of before does not say it.
  if (object.contains("elastic_address")) assignment.elastic_address = TRY(text_of(object, "elastic_address"));
  return assignment;
}

}  // namespace

std::string encode(const JoinRequest& message) {
  return dump({{"secret", message.secret},
               {"name", message.name},
               {"zone", message.zone},
               {"rack", message.rack},
               {"certificate_request", message.certificate_request}});
}

Result<JoinRequest> parse_join_request(std::string_view text) {
  const Json object = TRY(parse_object(text));
  JoinRequest message;
  message.secret = TRY(text_of(object, "secret"));
  message.name = TRY(text_of(object, "name"));
  message.zone = TRY(text_of(object, "zone"));
  message.rack = TRY(text_of(object, "rack"));
  message.certificate_request = TRY(text_of(object, "certificate_request"));
  return message;
}

std::string encode(const JoinAnswer& message) {
  return dump({{"id", message.id.text()}, {"certificate", message.certificate}});
}

Result<JoinAnswer> parse_join_answer(std::string_view text) {
  const Json object = TRY(parse_object(text));
  JoinAnswer message;
  const std::string id = TRY(text_of(object, "id"));
  message.id = TRY(model::HostId::parse(id));
  message.certificate = TRY(text_of(object, "certificate"));
  return message;
}

std::string encode(const HostReport& message) {
  Json consoles = Json::object();
  for (const auto& [id, text] : message.consoles) consoles[id.text()] = text;
  Json usage = Json::object();
  for (const auto& [id, used] : message.usage) {
    for (const UsageField& field : kUsageFields) usage[id.text()][field.name] = used.*field.member;
  }
  return dump({{"observed", model::encode(message.observed)},
               {"consoles", consoles},
               {"usage", usage},
               {"layers", model::encode(message.layers)},
               {"image_names", message.image_names},
               {"image_layers", message.image_layers}});
}

Result<HostReport> parse_host_report(std::string_view text) {
  const Json object = TRY(parse_object(text));
  HostReport message;
  message.observed = TRY(record_of<model::HostObserved>(object, "observed"));
  const auto consoles = object.find("consoles");
  if (consoles == object.end() || !consoles->is_object()) return missing("consoles");
  for (const auto& [id, console] : consoles->items()) {
    if (!console.is_string()) return missing("consoles");
    auto tail = console.get<std::string>();
    if (tail.size() > kMaxConsole) tail.erase(0, tail.size() - kMaxConsole);
    const model::InstanceId instance = TRY(model::InstanceId::parse(id));
    message.consoles[instance] = std::move(tail);
  }
  if (const auto usage = object.find("usage"); usage != object.end()) {  // an older host sends none
    if (!usage->is_object()) return missing("usage");
    for (const auto& [id, used] : usage->items()) {
      const model::InstanceId instance = TRY(model::InstanceId::parse(id));
      message.usage[instance] = TRY(parse_usage(used));
    }
  }
  if (!object.contains("layers")) return message;  // a host of an earlier version
  if (object.contains("image_names")) message.image_names = TRY(internal::texts_of(object, "image_names"));
  message.layers = TRY(record_of<model::HostLayers>(object, "layers"));
  if (!std::ranges::all_of(message.layers.layers, is_layer_id)) return missing("layers");
  const auto images = object.find("image_layers");
  if (images == object.end() || !images->is_object()) return missing("image_layers");
  for (const auto& [name, layer] : images->items()) {
    if (!layer.is_string() || !is_layer_id(layer.get_ref<const std::string&>())) return missing("image_layers");
    message.image_layers[name] = layer.get<std::string>();
  }
  return message;
}

std::string encode(const ReportAnswer& message) { return dump({{"manager", message.manager}}); }

Result<ReportAnswer> parse_report_answer(std::string_view text) {
  const Json object = TRY(parse_object(text));
  ReportAnswer message;
  if (object.contains("manager")) message.manager = TRY(text_of(object, "manager"));
  return message;
}

std::string encode(const Assignments& message) {
  Json instances = Json::array();
  for (const Assignment& each : message.instances) {
    instances.push_back({{"desired", model::encode(each.desired)},
                         {"placed", model::encode(each.placed)},
                         {"observed", model::encode(each.observed)},
                         {"image_name", each.image_name},
                         {"public_key", each.public_key},
                         {"private_address", each.private_address},
                         {"mac", each.mac},
                         {"open_ports", each.open_ports},
                         {"elastic_address", each.elastic_address}});
  }
  Json object = {{"instances", std::move(instances)}};
  internal::encode_disk_tasks(message.disks, object);
  return dump(object);
}

Result<Assignments> parse_assignments(std::string_view text) {
  const Json object = TRY(parse_object(text));
  const auto instances = object.find("instances");
  if (instances == object.end() || !instances->is_array()) return missing("instances");
  Assignments message;
  for (const Json& each : *instances) message.instances.push_back(TRY(parse_assignment(each)));
  message.disks = TRY(internal::parse_disk_tasks(object));
  return message;
}

std::string encode(const Observation& message) {
  return dump({{"observed", model::encode(message.observed)},
               {"guest_ended", message.guest_ended},
               {"what", message.what},
               {"why", message.why}});
}

Result<Observation> parse_observation(std::string_view text) {
  const Json object = TRY(parse_object(text));
  Observation message;
  message.observed = TRY(record_of<model::InstanceObserved>(object, "observed"));
  const auto ended = object.find("guest_ended");
  if (ended == object.end() || !ended->is_boolean()) return missing("guest_ended");
  message.guest_ended = ended->get<bool>();
  message.what = TRY(text_of(object, "what"));
  message.why = TRY(text_of(object, "why"));
  return message;
}

}  // namespace pileus::control
