// Changing the rules of a security group.
#include <algorithm>

#include "ec2/security_groups/handlers.h"
#include "ec2/security_groups/rules.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxRules = 200;
using Rules = std::vector<model::SecurityGroupRule>;

std::string describe(const model::SecurityGroupRule& rule) {
  const std::string whom = !rule.cidr.empty() ? rule.cidr : !rule.cidr6.empty() ? rule.cidr6 : rule.peer.text();
  return "peer: " + whom + ", " + rule.protocol + ", from port: " + std::to_string(rule.from_port) +
         ", to port: " + std::to_string(rule.to_port);
}

// As the group's events have it.
std::string describe(const Rules& rules) {
  std::string text;
  for (const model::SecurityGroupRule& rule : rules) {
    text += (text.empty() ? "" : "; ") + std::string(rule.egress ? "out, " : "in, ") + describe(rule);
  }
  return text;
}

// Those of `from` that `other` has not; their descriptions do not count.
Rules without(const Rules& from, const Rules& other) {
  Rules rest;
  std::ranges::copy_if(from, std::back_inserter(rest), [&](const auto& rule) {
    return std::ranges::none_of(other, [&](const auto& one) { return same_rule(rule, one); });
  });
  return rest;
}

std::string difference(const Rules& before, const Rules& now) {
  const Rules gone = without(before, now), come = without(now, before);
  if (gone.empty() && come.empty()) return "what they are described as";
  if (gone.empty()) return "added: " + describe(come);
  if (come.empty()) return "removed: " + describe(gone);
  return "added: " + describe(come) + "; removed: " + describe(gone);
}

// Changes the group that the request names; `act` works on its rules.
template <typename Act>
Reply<model::SecurityGroup> change_group(Call& call, Act act) {
  model::SecurityGroup result;
  const auto attempt = [&]() -> Reply<bool> {
    auto group = TRY(find_group(call, call.parameters.get("GroupId"), call.parameters.get("GroupName")));
    const Rules before = group.value.rules;
    TRY(act(group.value.rules));
    control::Change change;
    change.update(model::desired_key(group.value.id), group.value, group.revision);
    TRY(tell(call, change, group.value.id, "rules changed", difference(before, group.value.rules)));
    result = group.value;
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  return result;
}

Reply<Rules> wanted_rules(const Call& call, bool egress) {
  Rules rules = TRY(read_rules(call, egress));
  if (rules.empty()) return ApiError("MissingParameter", "The request must contain the parameter IpPermissions");
  return rules;
}

Reply<> authorize(Call& call, pugi::xml_node answer, bool egress) {
  Rules wanted = TRY(wanted_rules(call, egress));
  for (model::SecurityGroupRule& rule : wanted) rule.id = model::SecurityGroupRuleId::random();
  const model::SecurityGroup group = TRY(change_group(call, [&](Rules& rules) -> Reply<> {
    for (const model::SecurityGroupRule& rule : wanted) {
      for (const model::SecurityGroupRule& other : rules) {
        if (!same_rule(rule, other)) continue;
        return ApiError("InvalidPermission.Duplicate",
                        "the specified rule \"" + describe(rule) + ", ALLOW\" already exists");
      }
      rules.push_back(rule);
    }
    if (rules.size() <= kMaxRules) return {};
    return ApiError("RulesPerSecurityGroupLimitExceeded", "A security group has at most 200 rules");
  }));
  add_flag(answer, "return", true);
  pugi::xml_node set = add(answer, "securityGroupRuleSet");
  for (const model::SecurityGroupRule& rule : wanted) write_rule(set, group, rule);
  return {};
}

Reply<> revoke(Call& call, pugi::xml_node answer, bool egress) {
  const std::vector<std::string> ids = call.parameters.list("SecurityGroupRuleId");
  const Rules wanted = ids.empty() ? TRY(wanted_rules(call, egress)) : Rules();
  TRY(change_group(call, [&](Rules& rules) -> Reply<> {
    for (const std::string& id : ids) {
      if (std::erase_if(rules, [&](const auto& rule) { return rule.id.text() == id && rule.egress == egress; }) != 0)
        continue;
      return ApiError("InvalidSecurityGroupRuleId.NotFound",
                      "The security group rule ID '" + id.substr(0, 40) + "' does not exist");
    }
    for (const model::SecurityGroupRule& rule : wanted) {
      if (std::erase_if(rules, [&](const auto& other) { return same_rule(rule, other); }) != 0) continue;
      return ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    }
    return {};
  }));
  add_flag(answer, "return", true);
  return {};
}

Reply<> redescribe(Call& call, pugi::xml_node answer, bool egress) {
  const Rules wanted = TRY(wanted_rules(call, egress));
  TRY(change_group(call, [&](Rules& rules) -> Reply<> {
    for (const model::SecurityGroupRule& rule : wanted) {
      const auto found = std::ranges::find_if(rules, [&](const auto& other) { return same_rule(rule, other); });
      if (found == rules.end()) {
        return ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
      }
      found->description = rule.description;
    }
    return {};
  }));
  add_flag(answer, "return", true);
  return {};
}

// One rule as ModifySecurityGroupRules says it, in the place of `before`.
Reply<model::SecurityGroupRule> read_changed_rule(const Call& call, const Parameters& given,
                                                  const model::SecurityGroupRule& before) {
  Parameters permission;
  for (const char* name : {"IpProtocol", "FromPort", "ToPort"}) permission.set(name, given.get(name));
  const std::string& description = given.get("Description");
  if (given.has("PrefixListId")) return ApiError("UnsupportedOperation", "There are no prefix lists here");
  const auto put = [&](const std::string& list, const std::string& name, const std::string& value) {
    if (value.empty()) return;
    permission.set(list + ".1." + name, value);
    permission.set(list + ".1.Description", description);
  };
  put("IpRanges", "CidrIp", given.get("CidrIpv4"));
  put("Ipv6Ranges", "CidrIpv6", given.get("CidrIpv6"));
  put("Groups", "GroupId", given.get("ReferencedGroupId"));
  const Rules rules = TRY(read_permission(call, permission, before.egress));
  if (rules.size() != 1) {
    return ApiError("InvalidParameterCombination", "A rule is for one of CidrIpv4, CidrIpv6 and ReferencedGroupId");
  }
  model::SecurityGroupRule rule = rules[0];
  rule.id = before.id;
  return rule;
}

}  // namespace

Reply<> modify_security_group_rules(Call& call, pugi::xml_node answer) {
  const std::vector<Parameters> wishes = call.parameters.structures("SecurityGroupRule");
  if (wishes.empty()) return ApiError("MissingParameter", "The request must contain the parameter SecurityGroupRule");
  const auto change_it = [&](Rules& rules) -> Reply<> {
    for (const Parameters& wish : wishes) {
      const std::string& id = wish.get("SecurityGroupRuleId");
      const auto found = std::ranges::find_if(rules, [&](const auto& rule) { return rule.id.text() == id; });
      if (found == rules.end()) {
        return ApiError("InvalidSecurityGroupRuleId.NotFound",
                        "The security group rule ID '" + id.substr(0, 40) + "' does not exist");
      }
      const auto rule = TRY(read_changed_rule(call, wish.below("SecurityGroupRule"), *found));
      for (const model::SecurityGroupRule& other : rules) {
        if (other.id == rule.id || !same_rule(rule, other)) continue;
        return ApiError("InvalidPermission.Duplicate",
                        "the specified rule \"" + describe(rule) + ", ALLOW\" already exists");
      }
      *found = rule;
    }
    return {};
  };
  TRY(change_group(call, change_it));
  add_flag(answer, "return", true);
  return {};
}

Reply<> authorize_ingress(Call& call, pugi::xml_node answer) { return authorize(call, answer, false); }
Reply<> authorize_egress(Call& call, pugi::xml_node answer) { return authorize(call, answer, true); }
Reply<> revoke_ingress(Call& call, pugi::xml_node answer) { return revoke(call, answer, false); }
Reply<> revoke_egress(Call& call, pugi::xml_node answer) { return revoke(call, answer, true); }
Reply<> describe_rules_ingress(Call& call, pugi::xml_node answer) { return redescribe(call, answer, false); }
Reply<> describe_rules_egress(Call& call, pugi::xml_node answer) { return redescribe(call, answer, true); }

}  // namespace pileus::ec2
