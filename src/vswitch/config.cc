#include "vswitch/config.h"

#include <nlohmann/json.hpp>
#include <set>

#include "http/base64.h"

namespace pileus::vswitch {
namespace {

using Json = nlohmann::json;

std::string endpoint_text(const Endpoint& endpoint) {
  return packet::ipv4_text(endpoint.address) + ":" + std::to_string(endpoint.port);
}

Json encode_rule(const Rule& rule) {
  return {{"egress", rule.egress},
          {"protocol", rule.protocol},
          {"from_port", rule.from_port},
          {"to_port", rule.to_port},
          {"cidr", rule.peer_group.empty() ? packet::cidr_text(rule.cidr) : ""},
          {"peer_group", rule.peer_group}};
}

Json encode_port(const Port& port) {
  Json mappings = Json::array();
  for (const Mapping& each : port.mappings) {
    mappings.push_back(
        {{"host_address", each.host_address}, {"host_port", each.host_port}, {"guest_port", each.guest_port}});
  }
  Json more = Json::array();
  for (const Ipv4Address each : port.more_addresses) more.push_back(packet::ipv4_text(each));
  return {{"network", port.network},
          {"more_addresses", more},
          {"mac", packet::mac_text(port.mac)},
          {"address", packet::ipv4_text(port.address)},
          {"subnet", packet::cidr_text(port.subnet)},
          {"groups", port.groups},
          {"check_source", port.check_source},
          {"host_name", port.host_name},
          {"mappings", mappings},
          {"metadata",
           {{"enabled", port.metadata.enabled},
            {"token_required", port.metadata.token_required},
            {"hop_limit", port.metadata.hop_limit},
            {"entries", port.metadata.entries},
            {"user_data", http::encode_base64(port.metadata.user_data)}}}};
}

// Reads fields and remembers the first that is wrong, so that a whole record can be read before one check.
class Reader {
 public:
  explicit Reader(std::string& wrong) : wrong_(wrong) {}

  template <typename T>
  T get(const Json& object, const char* name) {
    T value{};
    if (!object.is_object() || !object.contains(name) || !take(object[name], value)) fail(name);
    return value;
  }
  const Json& list(const Json& object, const char* name) {
    static const Json kNone = Json::array();
    if (object.is_object() && object.contains(name) && object[name].is_array()) return object[name];
    fail(name);
    return kNone;
  }
  const Json& object(const Json& parent, const char* name) {
    static const Json kNone = Json::object();
    if (parent.is_object() && parent.contains(name) && parent[name].is_object()) return parent[name];
    fail(name);
    return kNone;
  }
  void fail(const std::string& name) {
    if (wrong_.empty()) wrong_ = name;
  }

 private:
  static bool take(const Json& json, bool& value) {
    if (json.is_boolean()) value = json.get<bool>();
    return json.is_boolean();
  }
  static bool take(const Json& json, std::string& value) {
    if (json.is_string()) value = json.get<std::string>();
    return json.is_string();
  }
  template <std::integral T>
  static bool take(const Json& json, T& value) {
    if (!json.is_number_integer()) return false;
    const i64 number = json.get<i64>();
    value = static_cast<T>(number);
    return static_cast<i64>(value) == number;
  }
  static bool take(const Json& json, std::vector<std::string>& value) {
    if (!json.is_array()) return false;
    for (const Json& each : json) {
      if (!each.is_string()) return false;
      value.push_back(each.get<std::string>());
    }
    return true;
  }
  static bool take(const Json& json, std::map<std::string, std::string>& value) {
    if (!json.is_object()) return false;
    for (const auto& [name, each] : json.items()) {
      if (!each.is_string()) return false;
      value[name] = each.get<std::string>();
    }
    return true;
  }
  template <typename T, auto kParse>
  static bool parsed(const Json& json, T& value) {
    if (!json.is_string()) return false;
    const auto found = kParse(json.get_ref<const std::string&>());
    if (found) value = *found;
    return found.has_value();
  }
  static bool take(const Json& json, MacAddress& value) { return parsed<MacAddress, packet::parse_mac>(json, value); }
  static bool take(const Json& json, Cidr& value) { return parsed<Cidr, packet::parse_cidr>(json, value); }
  static std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return {};
    const auto address = packet::parse_ipv4(text.substr(0, colon));
    const Json port = Json::parse(text.substr(colon + 1), nullptr, false);
    Endpoint endpoint;
    if (!address || !take(port, endpoint.port)) return {};
    endpoint.address = *address;
    return endpoint;
  }
  static bool take(const Json& json, Endpoint& value) { return parsed<Endpoint, &Reader::parse_endpoint>(json, value); }

  std::string& wrong_;
};

Ipv4Address get_address(Reader& reader, const Json& object, const char* name) {
  const auto address = packet::parse_ipv4(reader.get<std::string>(object, name));
  if (!address) reader.fail(name);
  return address.value_or(0);
}

std::vector<Ipv4Address> get_addresses(Reader& reader, const Json& object, const char* name) {
  std::vector<Ipv4Address> addresses;
  for (const std::string& text : reader.get<std::vector<std::string>>(object, name)) {
    const auto address = packet::parse_ipv4(text);
    if (!address) reader.fail(name);
    addresses.push_back(address.value_or(0));
  }
  return addresses;
}

Rule read_rule(Reader& reader, const Json& object) {
  Rule rule;
  rule.egress = reader.get<bool>(object, "egress");
  rule.protocol = reader.get<int>(object, "protocol");
  rule.from_port = reader.get<int>(object, "from_port");
  rule.to_port = reader.get<int>(object, "to_port");
  rule.peer_group = reader.get<std::string>(object, "peer_group");
  if (rule.peer_group.empty()) rule.cidr = reader.get<Cidr>(object, "cidr");
  return rule;
}

Metadata read_metadata(Reader& reader, const Json& object) {
  Metadata metadata;
  metadata.enabled = reader.get<bool>(object, "enabled");
  metadata.token_required = reader.get<bool>(object, "token_required");
  metadata.hop_limit = reader.get<u8>(object, "hop_limit");
  const auto user_data = http::decode_base64(reader.get<std::string>(object, "user_data"));
  if (!user_data) reader.fail("user_data");
  metadata.user_data = user_data.value_or("");
  metadata.entries = reader.get<std::map<std::string, std::string>>(object, "entries");
  return metadata;
}

bool is_plain(const std::string& id) {
  constexpr std::size_t kLongest = 64;
  const bool plain = id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  return plain && !id.empty() && id.size() <= kLongest;
}

Port read_port(Reader& reader, const std::string& id, const Json& object) {
  Port port;
  port.id = id;
  if (!is_plain(id)) reader.fail("ports");
  port.network = reader.get<u32>(object, "network");
  port.mac = reader.get<MacAddress>(object, "mac");
  port.address = get_address(reader, object, "address");
  // An agent of before does not say it.
  if (object.contains("more_addresses")) port.more_addresses = get_addresses(reader, object, "more_addresses");
  port.subnet = reader.get<Cidr>(object, "subnet");
  port.groups = reader.get<std::vector<std::string>>(object, "groups");
  port.check_source = reader.get<bool>(object, "check_source");
  port.host_name = reader.get<std::string>(object, "host_name");
  for (const Json& each : reader.list(object, "mappings")) {
    port.mappings.push_back({.host_address = reader.get<std::string>(each, "host_address"),
                             .host_port = reader.get<u16>(each, "host_port"),
                             .guest_port = reader.get<u16>(each, "guest_port")});
  }
  port.metadata = read_metadata(reader, reader.object(object, "metadata"));
  if (!port.subnet.contains(port.address)) reader.fail("address of " + id);
  return port;
}

Result<> check(const Config& config) {
  std::set<std::pair<u32, Ipv4Address>> taken;
  const auto take = [&](u32 network, Ipv4Address address) -> Result<> {
    if (taken.insert({network, address}).second) return {};
    return Error(ErrorCode::kInvalid, "the address " + packet::ipv4_text(address) + " is there twice");
  };
  for (const auto& [id, port] : config.ports) {
    if (!config.networks.contains(port.network)) {
      return Error(ErrorCode::kInvalid, "the network of port " + id + " is not there");
    }
    TRY(take(port.network, port.address));
    for (const Ipv4Address each : port.more_addresses) TRY(take(port.network, each));
  }
  for (const Remote& remote : config.remotes) TRY(take(remote.network, remote.address));
  return {};
}

}  // namespace

std::string encode(const Config& config) {
  Json networks = Json::object();
  for (const auto& [id, blocks] : config.networks) {
    Json& list = networks[std::to_string(id)] = Json::array();
    for (const Cidr& block : blocks) list.push_back(packet::cidr_text(block));
  }
  Json ports = Json::object();
  for (const auto& [id, port] : config.ports) ports[id] = encode_port(port);
  Json groups = Json::object();
  for (const auto& [id, group] : config.groups) {
    Json& object = groups[id] = {{"rules", Json::array()}, {"members", Json::array()}};
    for (const Rule& rule : group.rules) object["rules"].push_back(encode_rule(rule));
    for (const Ipv4Address member : group.members) object["members"].push_back(packet::ipv4_text(member));
  }
  Json remotes = Json::array();
  for (const Remote& each : config.remotes) {
    remotes.push_back({{"network", each.network},
                       {"mac", packet::mac_text(each.mac)},
                       {"address", packet::ipv4_text(each.address)},
                       {"host", endpoint_text(each.host)}});
  }
  const Json object = {{"networks", networks},
                       {"ports", ports},
                       {"groups", groups},
                       {"remotes", remotes},
                       {"tunnel", config.tunnel ? Json(endpoint_text(*config.tunnel)) : Json()},
                       {"domain", config.domain},
                       {"mtu", config.mtu}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Config> parse_config(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  std::string wrong;
  Reader reader(wrong);
  Config config;
  for (const auto& [id, blocks] : reader.object(object, "networks").items()) {
    const Json number = Json::parse(id, nullptr, false);
    if (!number.is_number_unsigned() || !blocks.is_array()) {
      reader.fail("networks");
      continue;
    }
    std::vector<Cidr>& list = config.networks[number.get<u32>()];
    for (const Json& block : blocks) {
      const auto cidr = block.is_string() ? packet::parse_cidr(block.get<std::string>()) : std::nullopt;
      if (!cidr) reader.fail("networks");
      list.push_back(cidr.value_or(Cidr{}));
    }
  }
  for (const auto& [id, port] : reader.object(object, "ports").items()) {
    config.ports[id] = read_port(reader, id, port);
  }
  for (const auto& [id, each] : reader.object(object, "groups").items()) {
    Group& group = config.groups[id];
    for (const Json& rule : reader.list(each, "rules")) group.rules.push_back(read_rule(reader, rule));
    group.members = get_addresses(reader, each, "members");
  }
  for (const Json& each : reader.list(object, "remotes")) {
    config.remotes.push_back({.network = reader.get<u32>(each, "network"),
                              .mac = reader.get<MacAddress>(each, "mac"),
                              .address = get_address(reader, each, "address"),
                              .host = reader.get<Endpoint>(each, "host")});
  }
  const bool tunnels = object.is_object() && object.contains("tunnel") && !object["tunnel"].is_null();
  if (tunnels) config.tunnel = reader.get<Endpoint>(object, "tunnel");
  config.domain = reader.get<std::string>(object, "domain");
  config.mtu = reader.get<u16>(object, "mtu");
  if (!wrong.empty())
    return Error(ErrorCode::kInvalid, "the switch's configuration: '" + wrong + "' is not as it must be");
  TRY(check(config));
  return config;
}

}  // namespace pileus::vswitch
