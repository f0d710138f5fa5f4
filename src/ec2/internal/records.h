// Records that requests name by id, for the kinds whose refusals are all alike: InvalidX.Malformed, InvalidX.NotFound.
#pragma once

#include <algorithm>
#include <map>

#include "ec2/call.h"
#include "model/account.h"
#include "model/launch_template.h"
#include "model/network.h"

namespace pileus::ec2 {

// How EC2 names a kind of object when it refuses it.
struct Naming {
  const char* code;   // "VpcID": InvalidVpcID.NotFound
  const char* thing;  // "vpc ID"
};
template <typename Record>
inline constexpr Naming kNaming = {};
template <>
inline constexpr Naming kNaming<model::VpcDesired> = {"VpcID", "vpc ID"};
template <>
inline constexpr Naming kNaming<model::SubnetDesired> = {"SubnetID", "subnet ID"};
template <>
inline constexpr Naming kNaming<model::InterfaceDesired> = {"NetworkInterfaceID", "networkInterface ID"};
template <>
inline constexpr Naming kNaming<model::AddressDesired> = {"AllocationID", "allocation ID"};
template <>
inline constexpr Naming kNaming<model::InternetGateway> = {"InternetGatewayID", "internetGateway ID"};
template <>
inline constexpr Naming kNaming<model::RouteTable> = {"RouteTableID", "routeTable ID"};
template <>
inline constexpr Naming kNaming<model::LaunchTemplate> = {"LaunchTemplateId", "launch template ID"};
template <>
inline constexpr Naming kNaming<model::KeyPair> = {"KeyPairID", "key pair ID"};
template <>
inline constexpr Naming kNaming<model::PlacementGroup> = {"PlacementGroupId", "placement group ID"};

template <typename Record>
ApiError not_found(const std::string& text) {
  return {std::string("Invalid") + kNaming<Record>.code + ".NotFound",
          std::string("The ") + kNaming<Record>.thing + " '" + text.substr(0, 80) + "' does not exist"};
}

template <model::IdKind kKind>
constexpr model::IdKind kind_of(model::Id<kKind>) {
  return kKind;
}

// All that the account has, by id.
template <typename Record>
Reply<std::vector<Record>> all_records(const Call& call) {
  return call.records<Record>(kind_of(decltype(Record::id)()));
}

template <typename Record>
Reply<control::Stored<Record>> find_record(const Call& call, const std::string& text) {
  const Reply<decltype(Record::id)> id = parse_id<decltype(Record::id)>(text, kNaming<Record>.code);
  if (!id) return id.error().code.ends_with(".NotFound") ? not_found<Record>(text) : id.error();
  control::Stored<Record> found = TRY(control::read<Record>(call.store, model::desired_key(*id)));
  if (!found.exists() || found.value.account != call.account.id) return not_found<Record>(text);
  return found;
}

// Those that the parameter `list` names, or all of them; by id.
template <typename Record>
Reply<std::vector<Record>> chosen_records(const Call& call, std::string_view list) {
  const std::vector<std::string> ids = call.parameters.list(list);
  if (ids.empty()) return all_records<Record>(call);
  std::map<decltype(Record::id), Record> found;
  for (const std::string& text : ids) {
    Record record = TRY(find_record<Record>(call, text)).value;
    found.insert_or_assign(record.id, std::move(record));
  }
  std::vector<Record> result;
  for (auto& [id, record] : found) result.push_back(std::move(record));
  return result;
}

// Changes the record that a text names; `act` works on it, and its refusal is that of the whole. `told`: its events have it.
template <typename Record, typename Act>
Reply<> change_record(const Call& call, const std::string& text, Act act, bool told = false) {
  return retry([&]() -> Reply<bool> {
    auto record = TRY(find_record<Record>(call, text));
    TRY(act(record.value));
    control::Change change;
    change.update(model::desired_key(record.value.id), record.value, record.revision);
    if (told) TRY(tell(call, change, record.value.id, "changed", call.parameters.get("Action")));
    return TRY(change.commit(call.store)).has_value();
  });
}

inline ApiError has_dependent(const std::string& id, const std::string& dependent) {
  return {"DependencyViolation", "resource " + id + " has a dependent object: " + dependent};
}

}  // namespace pileus::ec2
