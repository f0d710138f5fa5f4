#include "ec2/security_groups/rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace pileus::ec2 {
namespace {

constexpr i64 kMaxPort = 65535;
constexpr std::size_t kMaxDescription = 255;

ApiError malformed(const std::string& what) { return {"InvalidPermission.Malformed", what}; }

// "tcp", "udp", "icmp", "icmpv6", "-1", or another protocol's number.
Reply<std::string> read_protocol(const std::string& text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kNames = {{{"tcp", "tcp"},
                                                                                            {"6", "tcp"},
                                                                                            {"udp", "udp"},
                                                                                            {"17", "udp"},
                                                                                            {"icmp", "icmp"},
                                                                                            {"1", "icmp"},
                                                                                            {"icmpv6", "icmpv6"},
                                                                                            {"58", "icmpv6"},
                                                                                            {"-1", "-1"},
                                                                                            {"all", "-1"}}};
  for (const auto& [name, meant] : kNames) {
    if (text == name) return std::string(meant);
  }
  u32 number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && error == std::errc() && end == text.data() + text.size() && number <= 255) return text;
  return ApiError("InvalidParameterValue",
                  "Invalid value '" + text.substr(0, 20) + "' for IP protocol. Unknown protocol.");
}

// The network of an address with prefix, as EC2 keeps it: bits behind the prefix are cleared.
Reply<std::string> read_cidr(const std::string& text, int family) {
  const ApiError invalid("InvalidParameterValue", "CIDR block " + text.substr(0, 50) + " is malformed");
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return invalid;
  const unsigned most = family == AF_INET ? 32 : 128;
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
  if (error != std::errc() || end != text.data() + text.size() || prefix > most) return invalid;
  std::array<u8, 16> bytes = {};
  if (::inet_pton(family, text.substr(0, slash).c_str(), bytes.data()) != 1) return invalid;
  for (unsigned bit = prefix; bit < most; ++bit) bytes[bit / 8] &= static_cast<u8>(~(0x80U >> bit % 8));
  std::array<char, INET6_ADDRSTRLEN> out = {};
  if (::inet_ntop(family, bytes.data(), out.data(), out.size()) == nullptr) return invalid;
  return std::string(out.data()) + "/" + std::to_string(prefix);
}

Reply<model::SecurityGroupRule> read_ports(const Parameters& parameters, bool egress) {
  model::SecurityGroupRule rule;
  rule.egress = egress;
  if (!parameters.has("IpProtocol"))
    return ApiError("MissingParameter", "The request must contain the parameter ipProtocol");
  rule.protocol = TRY(read_protocol(parameters.get("IpProtocol")));
  const i64 from = TRY(parameters.integer("FromPort", -1));
  const i64 to = TRY(parameters.integer("ToPort", parameters.has("FromPort") ? from : -1));
  if (from < -1 || from > kMaxPort || to < -1 || to > kMaxPort) {
    return ApiError("InvalidParameterValue", "Invalid port: ports are 0 to 65535, or -1 for all");
  }
  const bool has_ports = rule.protocol == "tcp" || rule.protocol == "udp";
  if (has_ports && (from == -1) != (to == -1)) return malformed("A range of ports has two ends");
  if (has_ports && from > to)
    return malformed("Invalid TCP/UDP port range (" + std::to_string(from) + ":" + std::to_string(to) + ")");
  if (rule.protocol != "-1") {
    rule.from_port = static_cast<i32>(from);
    rule.to_port = static_cast<i32>(to);
  }
  return rule;
}

Reply<> set_description(model::SecurityGroupRule& rule, const std::string& text) {
  if (text.size() > kMaxDescription)
    return ApiError("InvalidParameterValue", "A rule's description has up to 255 characters");
  rule.description = text;
  return {};
}

std::string text_of(i32 number) { return std::to_string(number); }

}  // namespace

Reply<std::vector<model::SecurityGroupRule>> read_permission(const Call& call, const Parameters& permission,
                                                             bool egress) {
  const model::SecurityGroupRule ports = TRY(read_ports(permission, egress));
  std::vector<model::SecurityGroupRule> rules;
  for (const Parameters& range : permission.structures("IpRanges")) {
    model::SecurityGroupRule rule = ports;
    rule.cidr = TRY(read_cidr(range.get("CidrIp"), AF_INET));
    TRY(set_description(rule, range.get("Description")));
    rules.push_back(std::move(rule));
  }
  for (const Parameters& range : permission.structures("Ipv6Ranges")) {
    model::SecurityGroupRule rule = ports;
    rule.cidr6 = TRY(read_cidr(range.get("CidrIpv6"), AF_INET6));
    TRY(set_description(rule, range.get("Description")));
    rules.push_back(std::move(rule));
  }
  for (const Parameters& peer : permission.structures("Groups")) {
    model::SecurityGroupRule rule = ports;
    rule.peer = TRY(find_group(call, peer.get("GroupId"), peer.get("GroupName"))).value.id;
    TRY(set_description(rule, peer.get("Description")));
    rules.push_back(std::move(rule));
  }
  if (!rules.empty()) return rules;
  return ApiError("MissingParameter", "A rule needs whom it is for: IpRanges, Ipv6Ranges or Groups");
}

Reply<std::vector<model::SecurityGroupRule>> read_rules(const Call& call, bool egress) {
  std::vector<model::SecurityGroupRule> rules;
  for (const Parameters& permission : call.parameters.structures("IpPermissions")) {
    for (auto& rule : TRY(read_permission(call, permission, egress))) rules.push_back(std::move(rule));
  }
  const Parameters& flat = call.parameters;
  if (flat.has("CidrIp") || flat.has("SourceSecurityGroupName")) {
    model::SecurityGroupRule rule;
    if (flat.has("IpProtocol")) {
      rule = TRY(read_ports(flat, egress));
    } else {
      rule.egress = egress;
      rule.protocol = "-1";
    }
    if (flat.has("CidrIp")) rule.cidr = TRY(read_cidr(flat.get("CidrIp"), AF_INET));
    else rule.peer = TRY(find_group(call, "", flat.get("SourceSecurityGroupName"))).value.id;
    rules.push_back(std::move(rule));
  }
  return rules;
}

bool same_rule(const model::SecurityGroupRule& one, const model::SecurityGroupRule& other) {
  return one.egress == other.egress && one.protocol == other.protocol && one.from_port == other.from_port &&
         one.to_port == other.to_port && one.cidr == other.cidr && one.cidr6 == other.cidr6 && one.peer == other.peer;
}

void write_permissions(pugi::xml_node parent, const model::SecurityGroup& group, bool egress) {
  pugi::xml_node set = add(parent, egress ? "ipPermissionsEgress" : "ipPermissions");
  std::map<std::string, std::vector<const model::SecurityGroupRule*>> by_ports;
  for (const model::SecurityGroupRule& rule : group.rules) {
    if (rule.egress == egress) {
      by_ports[rule.protocol + " " + text_of(rule.from_port) + " " + text_of(rule.to_port)].push_back(&rule);
    }
  }
  for (const auto& [ports, rules] : by_ports) {
    pugi::xml_node item = add_item(set);
    const model::SecurityGroupRule& first = *rules.front();
    add(item, "ipProtocol", first.protocol);
    if (first.protocol != "-1") {
      add_number(item, "fromPort", first.from_port);
      add_number(item, "toPort", first.to_port);
    }
    pugi::xml_node groups = add(item, "groups");
    pugi::xml_node ranges = add(item, "ipRanges");
    pugi::xml_node ranges6 = add(item, "ipv6Ranges");
    add(item, "prefixListIds");
    for (const model::SecurityGroupRule* rule : rules) {
      pugi::xml_node each = add_item(!rule->cidr.empty() ? ranges : !rule->cidr6.empty() ? ranges6 : groups);
      if (!rule->cidr.empty()) add(each, "cidrIp", rule->cidr);
      else if (!rule->cidr6.empty()) add(each, "cidrIpv6", rule->cidr6);
      else {
        add(each, "groupId", rule->peer.text());
        add(each, "userId", group.account.text());
      }
      add_if(each, "description", rule->description);
    }
  }
}

void write_rule(pugi::xml_node set, const model::SecurityGroup& group, const model::SecurityGroupRule& rule) {
  pugi::xml_node item = add_item(set);
  add(item, "securityGroupRuleId", rule.id.text());
  add(item, "groupId", group.id.text());
  add(item, "groupOwnerId", group.account.text());
  add_flag(item, "isEgress", rule.egress);
  add(item, "ipProtocol", rule.protocol);
  add_number(item, "fromPort", rule.from_port);
  add_number(item, "toPort", rule.to_port);
  add_if(item, "cidrIpv4", rule.cidr);
  add_if(item, "cidrIpv6", rule.cidr6);
  if (rule.peer) {
    pugi::xml_node peer = add(item, "referencedGroupInfo");
    add(peer, "groupId", rule.peer.text());
    add(peer, "userId", group.account.text());
  }
  add_if(item, "description", rule.description);
  add(item, "tagSet");
}

}  // namespace pileus::ec2
