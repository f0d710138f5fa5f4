#include "control/network_protocol.h"

#include <nlohmann/json.hpp>

#include "model/codec.h"

namespace pileus::control {
namespace {

using Json = nlohmann::json;

Error missing(const std::string& field) { return {ErrorCode::kCorrupt, "the message lacks a good '" + field + "'"}; }

// The field, if it is of that kind.
template <typename T>
Result<T> get(const Json& object, const char* field, Json::value_t kind) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (found == object.end() || found->type() != kind) return missing(field);
  return found->get<T>();
}
Result<std::string> text(const Json& object, const char* field) {
  return get<std::string>(object, field, Json::value_t::string);
}
Result<u32> number(const Json& object, const char* field) {
  const u64 value = TRY(get<u64>(object, field, Json::value_t::number_unsigned));
  if (value >> 24U != 0) return missing(field);
  return static_cast<u32>(value);
}
Result<const Json*> list(const Json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (found == object.end() || !found->is_array()) return missing(field);
  return &*found;
}

Result<NetworkPort> parse_port(const Json& object) {
  NetworkPort port;
  const std::string instance = TRY(text(object, "instance"));
  port.instance = TRY(model::InstanceId::parse(instance));
  const std::string interface = TRY(text(object, "interface"));
  port.interface = TRY(model::InterfaceId::parse(interface));
  port.network = TRY(number(object, "network"));
  port.mac = TRY(text(object, "mac"));
  port.address = TRY(text(object, "address"));
  port.subnet = TRY(text(object, "subnet"));
  port.check_source = TRY(get<bool>(object, "check_source", Json::value_t::boolean));
  const Json* groups = TRY(list(object, "groups"));
  for (const Json& each : *groups) {
    if (!each.is_string()) return missing("groups");
    port.groups.push_back(TRY(model::SecurityGroupId::parse(each.get_ref<const std::string&>())));
  }
  // A cloud manager of before does not say it.
  if (object.contains("more_addresses")) {
    const Json* more = TRY(list(object, "more_addresses"));
    for (const Json& each : *more) {
      if (!each.is_string()) return missing("more_addresses");
      port.more_addresses.push_back(each.get<std::string>());
    }
  }
  return port;
}

Result<NetworkGroup> parse_group(const Json& object) {
  NetworkGroup group;
  const std::string record = TRY(text(object, "record"));
  group.record = TRY(model::decode<model::SecurityGroup>(record));
  const Json* members = TRY(list(object, "members"));
  for (const Json& each : *members) {
    if (!each.is_string()) return missing("members");
    group.members.push_back(each.get<std::string>());
  }
  return group;
}

Result<RemoteGuest> parse_remote(const Json& object) {
  RemoteGuest remote;
  remote.network = TRY(number(object, "network"));
  remote.mac = TRY(text(object, "mac"));
  remote.address = TRY(text(object, "address"));
  remote.host = TRY(text(object, "host"));
  return remote;
}

}  // namespace

std::string encode(const HostNetwork& message) {
  Json networks = Json::array();
  for (const auto& [id, blocks] : message.networks) {
    for (const std::string& cidr : blocks) networks.push_back({{"network", id}, {"cidr", cidr}});
  }
  Json ports = Json::array();
  for (const NetworkPort& port : message.ports) {
    Json groups = Json::array();
    for (const model::SecurityGroupId group : port.groups) groups.push_back(group.text());
    ports.push_back({{"instance", port.instance.text()},
                     {"interface", port.interface.text()},
                     {"network", port.network},
                     {"mac", port.mac},
                     {"address", port.address},
                     {"subnet", port.subnet},
                     {"groups", groups},
                     {"check_source", port.check_source},
                     {"more_addresses", port.more_addresses}});
  }
  Json groups = Json::array();
  for (const NetworkGroup& group : message.groups) {
    groups.push_back({{"record", model::encode(group.record)}, {"members", group.members}});
  }
  Json remotes = Json::array();
  for (const RemoteGuest& remote : message.remotes) {
    remotes.push_back(
        {{"network", remote.network}, {"mac", remote.mac}, {"address", remote.address}, {"host", remote.host}});
  }
  const Json object = {
      {"networks", networks}, {"ports", ports}, {"groups", groups}, {"remotes", remotes}, {"zone", message.zone}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<HostNetwork> parse_host_network(std::string_view body) {
  const Json object = Json::parse(body, nullptr, false);
  if (!object.is_object()) return Error(ErrorCode::kCorrupt, "the message is no JSON object");
  HostNetwork message;
  const Json* networks = TRY(list(object, "networks"));
  for (const Json& each : *networks) {
    const u32 id = TRY(number(each, "network"));
    message.networks[id].push_back(TRY(text(each, "cidr")));
  }
  const Json* ports = TRY(list(object, "ports"));
  for (const Json& each : *ports) message.ports.push_back(TRY(parse_port(each)));
  const Json* groups = TRY(list(object, "groups"));
  for (const Json& each : *groups) message.groups.push_back(TRY(parse_group(each)));
  const Json* remotes = TRY(list(object, "remotes"));
  for (const Json& each : *remotes) message.remotes.push_back(TRY(parse_remote(each)));
  message.zone = TRY(text(object, "zone"));
  return message;
}

}  // namespace pileus::control
