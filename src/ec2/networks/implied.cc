// What every network has without anybody having made it, and what clients ask for all the same.
#include "ec2/filters.h"
#include "ec2/internal/records.h"
#include "ec2/networks/handlers.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"

namespace pileus::ec2 {
namespace {

struct DhcpOptions {
  std::string id;
  std::string owner;
};
constexpr Filter<DhcpOptions> kDhcpFilters[] = {
    {"dhcp-options-id", [](const DhcpOptions& each) { return Texts{each.id}; }},
    {"owner-id", [](const DhcpOptions& each) { return Texts{each.owner}; }},
    {"key", [](const DhcpOptions&) { return Texts{"domain-name", "domain-name-servers"}; }},
    {"value", [](const DhcpOptions&) { return Texts{"internal", "AmazonProvidedDNS"}; }},
};
const model::Tags kNoTags;
const model::Tags& no_tags(const DhcpOptions&) { return kNoTags; }

struct Acl {
  model::VpcDesired vpc;
  std::vector<model::SubnetDesired> subnets;
};
const model::Tags& acl_tags(const Acl&) { return kNoTags; }
std::string acl_association(const model::SubnetDesired& subnet) {
  return "aclassoc-" + subnet.id.text().substr(std::string_view("subnet-").size());
}
constexpr Filter<Acl> kAclFilters[] = {
    {"network-acl-id", [](const Acl& acl) { return Texts{network_acl_id(acl.vpc.id)}; }},
    {"vpc-id", [](const Acl& acl) { return Texts{acl.vpc.id.text()}; }},
    {"owner-id", [](const Acl& acl) { return Texts{acl.vpc.account.text()}; }},
    {"default", [](const Acl&) { return flag(true); }},
    {"association.network-acl-id", [](const Acl& acl) { return Texts{network_acl_id(acl.vpc.id)}; }},
    {"association.association-id",
     [](const Acl& acl) {
       Texts texts;
       for (const auto& subnet : acl.subnets) texts.push_back(acl_association(subnet));
       return texts;
     }},
    {"association.subnet-id",
     [](const Acl& acl) {
       Texts texts;
       for (const auto& subnet : acl.subnets) texts.push_back(subnet.id.text());
       return texts;
     }},
};

void write_acl(pugi::xml_node item, const Acl& acl) {
  const std::string id = network_acl_id(acl.vpc.id);
  add(item, "networkAclId", id);
  add(item, "vpcId", acl.vpc.id.text());
  add(item, "ownerId", acl.vpc.account.text());
  add_flag(item, "default", true);
  pugi::xml_node entries = add(item, "entrySet");
  for (const bool egress : {true, false}) {
    for (const bool allow : {true, false}) {
      constexpr i64 kFirst = 100;
      constexpr i64 kLast = 32767;
      pugi::xml_node entry = add_item(entries);
      add_number(entry, "ruleNumber", allow ? kFirst : kLast);
      add(entry, "protocol", "-1");
      add(entry, "ruleAction", allow ? "allow" : "deny");
      add_flag(entry, "egress", egress);
      add(entry, "cidrBlock", "0.0.0.0/0");
    }
  }
  pugi::xml_node associations = add(item, "associationSet");
  for (const auto& subnet : acl.subnets) {
    pugi::xml_node association = add_item(associations);
    add(association, "networkAclAssociationId", acl_association(subnet));
    add(association, "networkAclId", id);
    add(association, "subnetId", subnet.id.text());
  }
  add_tags(item, {});
}

constexpr Filter<model::VpcDesired> kClassicFilters[] = {
    {"is-classic-link-enabled", [](const model::VpcDesired&) { return flag(false); }},
};
const model::Tags& vpc_tags(const model::VpcDesired& vpc) { return vpc.tags; }

struct PrefixList {};
constexpr Filter<PrefixList> kPrefixFilters[] = {
    {"prefix-list-id", [](const PrefixList&) { return Texts{}; }},
    {"prefix-list-name", [](const PrefixList&) { return Texts{}; }},
};

// Ids that a request names and that all have to be among those there are.
Reply<> check_ids(const Call& call, const char* list, const std::vector<std::string>& there, const char* code) {
  for (const std::string& id : call.parameters.list(list)) {
    if (std::ranges::find(there, id) != there.end()) continue;
    return ApiError(std::string("Invalid") + code + ".NotFound", "The ID '" + id.substr(0, 60) + "' does not exist");
  }
  return {};
}
bool is_chosen(const Call& call, const char* list, const std::string& id) {
  const std::vector<std::string> ids = call.parameters.list(list);
  return ids.empty() || std::ranges::find(ids, id) != ids.end();
}

}  // namespace

std::string dhcp_options_id(const model::AccountId& account) {
  constexpr std::size_t kDigits = 17;
  return "dopt-" + std::string(kDigits - account.text().size(), '0') + account.text();
}

std::string network_acl_id(model::VpcId vpc) { return "acl-" + vpc.text().substr(std::string_view("vpc-").size()); }

Reply<> describe_dhcp_options(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<DhcpOptions>::read(call.parameters, kDhcpFilters, no_tags));
  TRY(read_page(call.parameters));
  const DhcpOptions options = {dhcp_options_id(call.account.id), call.account.id.text()};
  TRY(check_ids(call, "DhcpOptionsId", {options.id}, "DhcpOptionID"));
  pugi::xml_node set = add(answer, "dhcpOptionsSet");
  if (!filters.pass(options)) return {};
  pugi::xml_node item = add_item(set);
  add(item, "dhcpOptionsId", options.id);
  add(item, "ownerId", options.owner);
  pugi::xml_node entries = add(item, "dhcpConfigurationSet");
  for (const auto& [key, value] :
       {std::pair{"domain-name", "internal"}, {"domain-name-servers", "AmazonProvidedDNS"}}) {
    pugi::xml_node entry = add_item(entries);
    add(entry, "key", key);
    add(add_item(add(entry, "valueSet")), "value", value);
  }
  add_tags(item, {});
  return {};
}

Reply<> describe_network_acls(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Acl>::read(call.parameters, kAclFilters, acl_tags));
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  std::map<model::VpcId, Acl> acls;
  std::vector<std::string> ids;
  for (auto& vpc : TRY(all_records<model::VpcDesired>(call))) {
    ids.push_back(network_acl_id(vpc.id));
    const model::VpcId id = vpc.id;
    acls[id].vpc = std::move(vpc);
  }
  TRY(check_ids(call, "NetworkAclId", ids, "NetworkAclID"));
  for (const auto& subnet : TRY(all_records<model::SubnetDesired>(call))) acls[subnet.vpc].subnets.push_back(subnet);
  std::vector<Acl> shown;
  for (const auto& [id, acl] : acls) {
    if (is_chosen(call, "NetworkAclId", network_acl_id(id)) && filters.pass(acl)) shown.push_back(acl);
  }
  pugi::xml_node set = add(answer, "networkAclSet");
  write_page(
      page, shown, answer, [](const Acl& acl) { return network_acl_id(acl.vpc.id); },
      [&](const Acl& acl) { write_acl(add_item(set), acl); });
  return {};
}

Reply<> describe_prefix_lists(Call& call, pugi::xml_node answer) {
  TRY(FilterSet<PrefixList>::read(call.parameters, kPrefixFilters, nullptr));
  TRY(read_page(call.parameters));
  TRY(check_ids(call, "PrefixListId", {}, "PrefixListId"));
  add(answer, "prefixListSet");
  return {};
}

Reply<> describe_vpc_classic_link(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<model::VpcDesired>::read(call.parameters, kClassicFilters, vpc_tags));
  TRY(ensure_default_network(call));
  pugi::xml_node set = add(answer, "vpcSet");
  for (const auto& vpc : TRY(chosen_records<model::VpcDesired>(call, "VpcId"))) {
    if (!filters.pass(vpc)) continue;
    pugi::xml_node item = add_item(set);
    add(item, "vpcId", vpc.id.text());
    add_flag(item, "classicLinkEnabled", false);
    add_tags(item, vpc.tags);
  }
  return {};
}

Reply<> describe_vpc_classic_link_dns_support(Call& call, pugi::xml_node answer) {
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  pugi::xml_node set = add(answer, "vpcs");
  write_page(
      page, TRY(chosen_records<model::VpcDesired>(call, "VpcIds")), answer,
      [](const model::VpcDesired& vpc) { return vpc.id.text(); },
      [&](const model::VpcDesired& vpc) {
        pugi::xml_node item = add_item(set);
        add(item, "vpcId", vpc.id.text());
        add_flag(item, "classicLinkDnsSupported", false);
      });
  return {};
}

}  // namespace pileus::ec2
