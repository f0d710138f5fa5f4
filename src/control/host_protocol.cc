#include "control/host_protocol.h"

#include <nlohmann/json.hpp>

#include "model/codec.h"

namespace pileus::control {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxText = 64 * kKiB;
constexpr std::size_t kMaxConsole = 64 * kKiB;

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Error missing(const std::string& field) { return {ErrorCode::kCorrupt, "the message lacks a good '" + field + "'"}; }

Result<Json> parse_object(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return Error(ErrorCode::kCorrupt, "the message is no JSON object");
  return value;
}

Result<std::string> text_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return missing(field);
  auto text = found->get<std::string>();
  if (text.size() > kMaxText) return missing(field);
  return text;
}

// Records travel as their own encoding, a text within the text: their codec checks them.
template <typename Record>
Result<Record> record_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return missing(field);
  return model::decode<Record>(found->get_ref<const std::string&>()).with(field);
}

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
  return dump({{"observed", model::encode(message.observed)}, {"consoles", consoles}, {"usage", usage}});
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
  const auto usage = object.find("usage");
  if (usage == object.end()) return message;  // an older host
  if (!usage->is_object()) return missing("usage");
  for (const auto& [id, used] : usage->items()) {
    const model::InstanceId instance = TRY(model::InstanceId::parse(id));
    message.usage[instance] = TRY(parse_usage(used));
  }
  return message;
}

std::string encode(const std::vector<Assignment>& list) {
  Json instances = Json::array();
  for (const Assignment& each : list) {
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
  return dump({{"instances", instances}});
}

Result<std::vector<Assignment>> parse_assignments(std::string_view text) {
  const Json object = TRY(parse_object(text));
  const auto instances = object.find("instances");
  if (instances == object.end() || !instances->is_array()) return missing("instances");
  std::vector<Assignment> list;
  for (const Json& each : *instances) list.push_back(TRY(parse_assignment(each)));
  return list;
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
