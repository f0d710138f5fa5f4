// Security groups.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/instances/objects.h"
#include "ec2/internal/records.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"
#include "ec2/security_groups/handlers.h"
#include "ec2/security_groups/rules.h"
#include "ec2/tags/objects.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxName = 255;
const model::Tags& tags_of(const model::SecurityGroup& group) { return group.tags; }

template <typename Value>
Texts of_rules(const model::SecurityGroup& group, bool egress, Value value) {
  Texts texts;
  for (const model::SecurityGroupRule& rule : group.rules) {
    if (rule.egress == egress) texts.push_back(value(rule));
  }
  return texts;
}
std::string protocol_of(const model::SecurityGroupRule& rule) { return rule.protocol; }
std::string from_of(const model::SecurityGroupRule& rule) { return std::to_string(rule.from_port); }
std::string to_of(const model::SecurityGroupRule& rule) { return std::to_string(rule.to_port); }
std::string cidr_of(const model::SecurityGroupRule& rule) { return rule.cidr; }
std::string peer_of(const model::SecurityGroupRule& rule) { return rule.peer.text(); }

using Group = model::SecurityGroup;
constexpr Filter<Group> kFilters[] = {
    {"group-id", [](const Group& group) { return Texts{group.id.text()}; }},
    {"group-name", [](const Group& group) { return Texts{group.name}; }},
    {"description", [](const Group& group) { return Texts{group.description}; }},
    {"vpc-id", [](const Group& group) { return Texts{group.vpc.text()}; }},
    {"owner-id", [](const Group& group) { return Texts{group.account.text()}; }},
    {"ip-permission.protocol", [](const Group& group) { return of_rules(group, false, protocol_of); }},
    {"ip-permission.from-port", [](const Group& group) { return of_rules(group, false, from_of); }},
    {"ip-permission.to-port", [](const Group& group) { return of_rules(group, false, to_of); }},
    {"ip-permission.cidr", [](const Group& group) { return of_rules(group, false, cidr_of); }},
    {"ip-permission.group-id", [](const Group& group) { return of_rules(group, false, peer_of); }},
    {"egress.ip-permission.protocol", [](const Group& group) { return of_rules(group, true, protocol_of); }},
    {"egress.ip-permission.from-port", [](const Group& group) { return of_rules(group, true, from_of); }},
    {"egress.ip-permission.to-port", [](const Group& group) { return of_rules(group, true, to_of); }},
    {"egress.ip-permission.cidr", [](const Group& group) { return of_rules(group, true, cidr_of); }},
    {"egress.ip-permission.group-id", [](const Group& group) { return of_rules(group, true, peer_of); }},
};

struct RuleEntry {
  const Group* group;
  const model::SecurityGroupRule* rule;
};
constexpr Filter<RuleEntry> kRuleFilters[] = {
    {"group-id", [](const RuleEntry& entry) { return Texts{entry.group->id.text()}; }},
    {"security-group-rule-id", [](const RuleEntry& entry) { return Texts{entry.rule->id.text()}; }},
};

// Names are unique in a network.
std::string name_key(const model::SecurityGroup& group, bool of_default_network) {
  const std::string within = of_default_network ? std::string() : group.vpc.text() + "/";
  return "v1/group-names/" + group.account.text() + "/" + within + http::encode_uri(group.name);
}

Reply<bool> has_ended(const Call& call, model::InstanceId id) {
  bool ended = false;
  TRY(call.catalogue.read([&](const control::View& view) {
    const control::InstanceView* instance = view.find(id);
    ended = instance == nullptr || instance->observed.value.state == model::InstanceState::kTerminated;
  }));
  return ended;
}

ApiError no_group(const std::string& text) {
  return {"InvalidGroup.NotFound", "The security group '" + text.substr(0, kMaxName) + "' does not exist"};
}

}  // namespace

Reply<control::Stored<Group>> find_group(const Call& call, const std::string& id, const std::string& name) {
  if (!id.empty()) {
    Result<model::SecurityGroupId> parsed = model::SecurityGroupId::parse(id);
    if (!parsed && parsed.error().code() != ErrorCode::kNotFound) {
      return ApiError("InvalidGroupId.Malformed", "Invalid id: \"" + id.substr(0, 40) + "\"");
    }
    if (!parsed) return no_group(id);
    control::Stored<Group> group = TRY(control::read<Group>(call.store, model::desired_key(*parsed)));
    if (!group.exists() || group.value.account != call.account.id) return no_group(id);
    return group;
  }
  if (name.empty()) return ApiError("MissingParameter", "The request must contain the parameter GroupName or GroupId");
  const DefaultNetwork network = TRY(default_network(call));
  for (const Group& group : TRY(all_records<Group>(call))) {
    if (group.name != name || group.vpc != network.vpc) continue;
    return Reply<control::Stored<Group>>(TRY(control::read<Group>(call.store, model::desired_key(group.id))));
  }
  return no_group(name);
}

Reply<std::map<model::SecurityGroupId, std::string>> group_names(const Call& call) {
  std::map<model::SecurityGroupId, std::string> names;
  for (const Group& group : TRY(all_records<Group>(call))) names[group.id] = group.name;
  return names;
}

void write_groups(pugi::xml_node parent, const std::vector<model::SecurityGroupId>& groups,
                  const std::map<model::SecurityGroupId, std::string>& names) {
  pugi::xml_node set = add(parent, "groupSet");
  for (const model::SecurityGroupId id : groups) {
    pugi::xml_node item = add_item(set);
    add(item, "groupId", id.text());
    const auto name = names.find(id);
    add(item, "groupName", name == names.end() ? std::string() : name->second);
  }
}

Reply<> create_security_group(Call& call, pugi::xml_node answer) {
  TRY(ensure_default_network(call));
  const std::string& asked = call.parameters.get("VpcId");
  const std::string vpc_id = asked.empty() ? TRY(default_network(call)).vpc.text() : asked;
  const auto vpc = TRY(find_record<model::VpcDesired>(call, vpc_id)).value;
  Group group;
  group.id = model::SecurityGroupId::random();
  group.account = call.account.id;
  group.vpc = vpc.id;
  group.name = call.parameters.get("GroupName");
  group.description = call.parameters.get("GroupDescription");
  group.tags = TRY(tags_for(call.parameters, "security-group"));
  if (group.name.size() > kMaxName || group.description.size() > kMaxName || group.name.starts_with("sg-")) {
    return ApiError("InvalidParameterValue",
                    "A group's name and description have up to 255 characters, and the name does not begin with sg-");
  }
  model::SecurityGroupRule out;
  out.id = model::SecurityGroupRuleId::random();
  out.egress = true;
  out.protocol = "-1";
  out.cidr = "0.0.0.0/0";
  group.rules = {out};
  control::Change change;
  const std::string key = name_key(group, vpc.is_default);
  change.expect(state::Compare::absent(key));
  change.put(key, group.id.text());
  enter_vpc(change, vpc.id);
  change.update(model::desired_key(group.id), group, 0);
  TRY(tell(call, change, group.id, "created", group.name));
  const bool taken = group.name == "default" || !TRY(change.commit(call.store));
  if (taken) {
    return ApiError("InvalidGroup.Duplicate",
                    "The security group '" + group.name + "' already exists for VPC '" + vpc.id.text() + "'");
  }
  add_flag(answer, "return", true);
  add(answer, "groupId", group.id.text());
  add_tags(answer, group.tags);
  return {};
}

Reply<> delete_security_group(Call& call, pugi::xml_node answer) {
  const auto group = TRY(find_group(call, call.parameters.get("GroupId"), call.parameters.get("GroupName")));
  if (group.value.name == "default") {
    return ApiError("CannotDelete", "the specified group: \"" + group.value.id.text() +
                                        "\" name: \"default\" cannot be deleted by a user");
  }
  for (const auto& interface : TRY(all_records<model::InterfaceDesired>(call))) {
    if (std::ranges::find(interface.security_groups, group.value.id) == interface.security_groups.end()) continue;
    if (interface.instance && TRY(has_ended(call, interface.instance))) continue;
    return has_dependent(group.value.id.text(), interface.id.text());
  }
  for (const Group& other : TRY(all_records<Group>(call))) {
    for (const model::SecurityGroupRule& rule : other.rules) {
      if (other.id != group.value.id && rule.peer == group.value.id) {
        return has_dependent(group.value.id.text(), other.id.text());
      }
    }
  }
  control::Change change;
  change.expect(model::desired_key(group.value.id), group.revision);
  change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kSecurityGroup, group.value.id.text(), "")));
  const auto vpc = TRY(control::read<model::VpcDesired>(call.store, model::desired_key(group.value.vpc)));
  change.erase(state::KeyRange::key(name_key(group.value, vpc.value.is_default)));
  if (!TRY(change.commit(call.store))) return ApiError("Unavailable", "The group is being changed: try again", 503);
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_security_groups(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Group>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  std::vector<Group> groups;
  const std::vector<std::string> ids = call.parameters.list("GroupId");
  const std::vector<std::string> names = call.parameters.list("GroupName");
  for (const std::string& id : ids) groups.push_back(TRY(find_group(call, id, "")).value);
  for (const std::string& name : names) groups.push_back(TRY(find_group(call, "", name)).value);
  if (ids.empty() && names.empty()) groups = TRY(all_records<Group>(call));
  std::ranges::sort(groups, {}, &Group::id);
  std::erase_if(groups, [&](const Group& group) { return !filters.pass(group); });
  pugi::xml_node set = add(answer, "securityGroupInfo");
  write_page(
      page, groups, answer, [](const Group& group) { return group.id.text(); },
      [&](const Group& group) {
        pugi::xml_node item = add_item(set);
        add(item, "ownerId", group.account.text());
        add(item, "groupId", group.id.text());
        add(item, "groupName", group.name);
        add(item, "groupDescription", group.description);
        add(item, "vpcId", group.vpc.text());
        write_permissions(item, group, false);
        write_permissions(item, group, true);
        add_tags(item, group.tags);
      });
  return {};
}

Reply<> describe_security_group_rules(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<RuleEntry>::read(call.parameters, kRuleFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  const std::vector<Group> groups = TRY(all_records<Group>(call));
  std::vector<std::string> wanted = call.parameters.list("SecurityGroupRuleId");
  const bool all = wanted.empty();
  std::vector<RuleEntry> rules;
  for (const Group& group : groups) {
    for (const model::SecurityGroupRule& rule : group.rules) {
      if (all || std::erase(wanted, rule.id.text()) != 0) rules.push_back({&group, &rule});
    }
  }
  if (!wanted.empty()) {
    return ApiError("InvalidSecurityGroupRuleId.NotFound",
                    "The security group rule ID '" + wanted[0].substr(0, 40) + "' does not exist");
  }
  std::erase_if(rules, [&](const RuleEntry& entry) { return !filters.pass(entry); });
  std::ranges::sort(rules, {}, [](const RuleEntry& entry) { return entry.rule->id; });
  pugi::xml_node set = add(answer, "securityGroupRuleSet");
  write_page(
      page, rules, answer, [](const RuleEntry& entry) { return entry.rule->id.text(); },
      [&](const RuleEntry& entry) { write_rule(set, *entry.group, *entry.rule); });
  return {};
}

}  // namespace pileus::ec2
