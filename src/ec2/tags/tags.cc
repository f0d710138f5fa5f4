// Tags of objects of all kinds.
#include <algorithm>
#include <array>

#include "ec2/filters.h"
#include "ec2/images/objects.h"
#include "ec2/pages.h"
#include "ec2/routes/objects.h"
#include "ec2/tags/handlers.h"
#include "ec2/tags/objects.h"
#include "model/account.h"
#include "model/launch_template.h"
#include "model/volume.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kMaxKey = 128;
constexpr std::size_t kMaxValue = 256;
constexpr std::size_t kMaxResources = 1000;

struct TagEntry {
  std::string resource;
  std::string type;
  std::string key;
  std::string value;
};
constexpr Filter<TagEntry> kFilters[] = {
    {"resource-id", [](const TagEntry& entry) { return Texts{entry.resource}; }},
    {"resource-type", [](const TagEntry& entry) { return Texts{entry.type}; }},
    {"key", [](const TagEntry& entry) { return Texts{entry.key}; }},
    {"value", [](const TagEntry& entry) { return Texts{entry.value}; }},
};

// Changes the tags of one record. False when the account has none of that id.
template <typename Record, typename Act>
Reply<bool> change_record(Call& call, const std::string& key, Act act) {
  bool found = false;
  const auto attempt = [&]() -> Reply<bool> {
    auto record = TRY(control::read<Record>(call.store, key));
    found = record.exists();
    if (!found) return true;
    if constexpr (requires { record.value.account; }) {
      found = record.value.account == call.account.id;
    } else {
      found = record.value.owner == call.account.id;
    }
    if (!found) return true;
    const model::Tags before = record.value.tags;
    act(record.value.tags);
    if (record.value.tags == before) return true;
    TRY(check_tags(record.value.tags));
    control::Change change;
    change.update(key, record.value, record.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  return found;
}

template <typename Act>
Reply<bool> change_by_id(Call& call, const std::string& text, Act act) {
  if (const auto id = model::InstanceId::parse(text))
    return change_record<model::InstanceDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::ImageId::parse(text))
    return change_record<model::ImageDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::KeyPairId::parse(text))
    return change_record<model::KeyPair>(call, model::desired_key(*id), act);
  if (const auto id = model::SecurityGroupId::parse(text))
    return change_record<model::SecurityGroup>(call, model::desired_key(*id), act);
  if (const auto id = model::VpcId::parse(text))
    return change_record<model::VpcDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::SubnetId::parse(text))
    return change_record<model::SubnetDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::InterfaceId::parse(text))
    return change_record<model::InterfaceDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::VolumeId::parse(text))
    return change_record<model::VolumeDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::SnapshotId::parse(text))
    return change_record<model::SnapshotDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::AllocationId::parse(text))
    return change_record<model::AddressDesired>(call, model::desired_key(*id), act);
  if (const auto id = model::InternetGatewayId::parse(text))
    return change_record<model::InternetGateway>(call, model::desired_key(*id), act);
  if (const auto id = model::RouteTableId::parse(text)) {
    TRY(keep_main_table(call, text));
    return change_record<model::RouteTable>(call, model::desired_key(*id), act);
  }
  if (const auto id = model::LaunchTemplateId::parse(text))
    return change_record<model::LaunchTemplate>(call, model::desired_key(*id), act);
  if (const auto id = model::PlacementGroupId::parse(text))
    return change_record<model::PlacementGroup>(call, model::desired_key(*id), act);
  return false;
}

template <typename Act>
Reply<> change_all(Call& call, pugi::xml_node answer, Act act) {
  const std::vector<std::string> resources = call.parameters.list("ResourceId");
  if (resources.size() > kMaxResources)
    return ApiError("InvalidParameterValue", "A request changes at most 1000 resources");
  for (const std::string& resource : resources) {
    if (!TRY(change_by_id(call, resource, act))) {
      return ApiError("InvalidID", "The ID '" + resource.substr(0, 40) + "' is not valid");
    }
  }
  add_flag(answer, "return", true);
  return {};
}

template <typename Record>
Reply<> collect(const Call& call, model::IdKind kind, const char* type, std::vector<TagEntry>& entries) {
  for (const Record& record : TRY(call.records<Record>(kind))) {
    for (const auto& [key, value] : record.tags) entries.push_back({record.id.text(), type, key, value});
  }
  return {};
}

// As EC2 marks what was launched from a template; nobody can change them.
Reply<> template_tags(const Call& call, std::vector<TagEntry>& entries) {
  TRY(call.catalogue.read([&](const control::View& view) {
    for (const model::InstanceId id : view.of_account(call.account.id)) {
      const model::InstanceDesired& instance = view.find(id)->desired.value;
      if (!instance.template_id) continue;
      entries.push_back({id.text(), "instance", "aws:ec2launchtemplate:id", instance.template_id.text()});
      entries.push_back(
          {id.text(), "instance", "aws:ec2launchtemplate:version", std::to_string(instance.template_version)});
    }
  }));
  return {};
}

}  // namespace

Reply<> check_tags(const model::Tags& tags) {
  if (tags.size() > kMaxTags) return ApiError("TagLimitExceeded", "A resource has at most 50 tags");
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > kMaxKey || value.size() > kMaxValue) {
      return ApiError("InvalidParameterValue", "Tag keys have 1 to 128 characters, values up to 256");
    }
    if (key.starts_with("aws:")) {
      return ApiError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
    }
  }
  return {};
}

Reply<model::Tags> tags_for(const Parameters& parameters, std::string_view resource_type) {
  model::Tags tags;
  for (const Parameters& specification : parameters.structures("TagSpecification")) {
    if (specification.get("ResourceType") != resource_type) continue;
    for (const Parameters& tag : specification.structures("Tag")) tags[tag.get("Key")] = tag.get("Value");
  }
  TRY(check_tags(tags));
  return tags;
}

Reply<> create_tags(Call& call, pugi::xml_node answer) {
  model::Tags wanted;
  for (const Parameters& tag : call.parameters.structures("Tag")) wanted[tag.get("Key")] = tag.get("Value");
  if (wanted.empty()) return ApiError("MissingParameter", "The request must contain the parameter Tag");
  TRY(check_tags(wanted));
  return change_all(call, answer, [&](model::Tags& tags) {
    for (const auto& [key, value] : wanted) tags[key] = value;
  });
}

Reply<> delete_tags(Call& call, pugi::xml_node answer) {
  const std::vector<Parameters> named = call.parameters.structures("Tag");
  return change_all(call, answer, [&](model::Tags& tags) {
    if (named.empty()) tags.clear();
    for (const Parameters& tag : named) {
      const auto found = tags.find(tag.get("Key"));
      const bool any_value = !tag.has("Value");
      if (found != tags.end() && (any_value || found->second == tag.get("Value"))) tags.erase(found);
    }
  });
}

Reply<> describe_tags(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<TagEntry>::read(call.parameters, kFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  std::vector<TagEntry> entries;
  TRY(collect<model::InstanceDesired>(call, model::IdKind::kInstance, "instance", entries));
  TRY(collect<model::KeyPair>(call, model::IdKind::kKeyPair, "key-pair", entries));
  TRY(collect<model::SecurityGroup>(call, model::IdKind::kSecurityGroup, "security-group", entries));
  TRY(collect<model::VpcDesired>(call, model::IdKind::kVpc, "vpc", entries));
  TRY(collect<model::SubnetDesired>(call, model::IdKind::kSubnet, "subnet", entries));
  TRY(collect<model::VolumeDesired>(call, model::IdKind::kVolume, "volume", entries));
  TRY(collect<model::SnapshotDesired>(call, model::IdKind::kSnapshot, "snapshot", entries));
  TRY(collect<model::InterfaceDesired>(call, model::IdKind::kInterface, "network-interface", entries));
  TRY(collect<model::AddressDesired>(call, model::IdKind::kAllocation, "elastic-ip", entries));
  TRY(collect<model::InternetGateway>(call, model::IdKind::kInternetGateway, "internet-gateway", entries));
  TRY(collect<model::RouteTable>(call, model::IdKind::kRouteTable, "route-table", entries));
  TRY(collect<model::LaunchTemplate>(call, model::IdKind::kLaunchTemplate, "launch-template", entries));
  TRY(collect<model::PlacementGroup>(call, model::IdKind::kPlacementGroup, "placement-group", entries));
  TRY(template_tags(call, entries));
  for (const Image& image : TRY(visible_images(call))) {
    for (const auto& [key, value] : image.desired.tags)
      entries.push_back({image.desired.id.text(), "image", key, value});
  }
  std::erase_if(entries, [&](const TagEntry& entry) { return !filters.pass(entry); });
  const auto place = [](const TagEntry& entry) { return entry.resource + " " + entry.key; };
  std::ranges::sort(entries, {}, place);
  pugi::xml_node set = add(answer, "tagSet");
  write_page(page, entries, answer, place, [&](const TagEntry& entry) {
    pugi::xml_node item = add_item(set);
    add(item, "resourceId", entry.resource);
    add(item, "resourceType", entry.type);
    add(item, "key", entry.key);
    add(item, "value", entry.value);
  });
  return {};
}

}  // namespace pileus::ec2
