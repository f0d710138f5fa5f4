// Placement groups: instances near to each other, or apart.
#include "ec2/filters.h"
#include "ec2/instances/objects.h"
#include "ec2/internal/records.h"
#include "ec2/placement_groups/handlers.h"
#include "ec2/placement_groups/objects.h"
#include "ec2/tags/objects.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

using Group = model::PlacementGroup;
using Stored = control::Stored<Group>;
constexpr std::size_t kMaxName = 255;
constexpr u32 kUsualPartitions = 2;
constexpr i64 kMostPartitions = 7;
const model::Tags& tags_of(const Group& group) { return group.tags; }

bool is_spread(const Group& group) { return group.strategy == model::GroupStrategy::kSpread; }

constexpr Filter<Group> kFilters[] = {
    {"group-name", [](const Group& group) { return Texts{group.name}; }},
    {"state", [](const Group&) { return Texts{"available"}; }},
    {"strategy", [](const Group& group) { return Texts{std::string(model::name(group.strategy))}; }},
    {"spread-level",
     [](const Group& group) {
       return is_spread(group) ? Texts{std::string(model::name(group.spread_level))} : Texts();
     }},
};

std::string name_key(const Call& call, const std::string& name) {
  return "v1/placement-group-names/" + call.account.id.text() + "/" + http::encode_uri(name);
}

void write_group(pugi::xml_node node, const Call& call, const Group& group) {
  add(node, "groupName", group.name);
  add(node, "groupId", group.id.text());
  add(node, "groupArn",
      "arn:aws:ec2:" + call.settings.region + ":" + group.account.text() + ":placement-group/" + group.name);
  add(node, "state", "available");
  add(node, "strategy", model::name(group.strategy));
  if (group.strategy == model::GroupStrategy::kPartition) add_number(node, "partitionCount", group.partitions);
  if (is_spread(group)) add(node, "spreadLevel", model::name(group.spread_level));
  add_tags(node, group.tags);
}

// Group of the strategy, level and number of partitions that the request says.
Reply<> read_shape(const Parameters& given, Group& group) {
  const std::string& strategy = given.get("Strategy");
  if (!strategy.empty()) {
    const auto parsed = model::parse_name<model::GroupStrategy>(strategy);
    if (!parsed) {
      return ApiError("InvalidParameterValue", "Value (" + strategy.substr(0, 40) +
                                                   ") for parameter strategy is invalid: cluster, spread or partition");
    }
    group.strategy = *parsed;
  }
  if (given.has("SpreadLevel")) {
    const auto parsed = model::parse_name<model::SpreadLevel>(given.get("SpreadLevel"));
    if (!parsed || !is_spread(group)) {
      return ApiError("InvalidParameterValue", "SpreadLevel is host or rack, and of the strategy spread only");
    }
    group.spread_level = *parsed;
  }
  const bool partitioned = group.strategy == model::GroupStrategy::kPartition;
  const i64 count = TRY(given.integer("PartitionCount", partitioned ? kUsualPartitions : 0));
  if (partitioned ? count < 1 || count > kMostPartitions : count != 0) {
    return ApiError("InvalidParameterValue", "PartitionCount is 1 to 7, and of the strategy partition only");
  }
  group.partitions = static_cast<u32>(count);
  return {};
}

}  // namespace

Reply<Stored> find_placement_group(const Call& call, const std::string& name) {
  const auto id = TRY(call.store.get(name_key(call, name)));
  if (id) return find_record<Group>(call, id->value);
  return ApiError("InvalidPlacementGroup.Unknown",
                  "The Placement Group '" + name.substr(0, kMaxName) + "' is unknown.");
}

Reply<> create_placement_group(Call& call, pugi::xml_node answer) {
  Group group;
  group.id = model::PlacementGroupId::random();
  group.account = call.account.id;
  group.name = call.parameters.get("GroupName");
  group.tags = TRY(tags_for(call.parameters, "placement-group"));
  if (group.name.size() > kMaxName) {
    return ApiError("InvalidParameterValue", "A placement group's name has up to 255 characters");
  }
  TRY(read_shape(call.parameters, group));
  const std::string key = name_key(call, group.name);
  control::Change change;
  change.expect(state::Compare::absent(key));
  change.put(key, group.id.text());
  change.update(model::desired_key(group.id), group, 0);
  if (!TRY(change.commit(call.store))) {
    return ApiError("InvalidPlacementGroup.Duplicate", "The Placement Group '" + group.name + "' already exists.");
  }
  add_flag(answer, "return", true);
  write_group(add(answer, "placementGroup"), call, group);
  return {};
}

Reply<> delete_placement_group(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const Stored group = TRY(find_placement_group(call, call.parameters.get("GroupName")));
    for (const InstanceEntry& entry : TRY(find_instances(call, {}))) {
      if (entry.observed.state == model::InstanceState::kTerminated) continue;
      if (entry.desired.wish.group != group.value.id) continue;
      return ApiError("InvalidPlacementGroup.InUse",
                      "The placement group '" + group.value.name +
                          "' is in use and may not be deleted: " + entry.desired.id.text() + " is in it");
    }
    control::Change change;
    change.expect(model::desired_key(group.value.id), group.revision);
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kPlacementGroup, group.value.id.text(), "")));
    change.erase(state::KeyRange::key(name_key(call, group.value.name)));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_placement_groups(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Group>::read(call.parameters, kFilters, tags_of));
  const std::vector<std::string> names = call.parameters.list("GroupName");
  std::vector<Group> groups;
  for (const std::string& name : names) groups.push_back(TRY(find_placement_group(call, name)).value);
  if (names.empty()) groups = TRY(chosen_records<Group>(call, "GroupId"));
  pugi::xml_node set = add(answer, "placementGroupSet");
  for (const Group& group : groups) {
    if (filters.pass(group)) write_group(add_item(set), call, group);
  }
  return {};
}

}  // namespace pileus::ec2
