// Where records lie in the state store. The layout is docs/formats/state-keys.md.
#pragma once

#include <string>
#include <string_view>

#include "model/id.h"

namespace pileus::model {

inline constexpr std::string_view kInstancesPrefix = "v1/instances/";
inline constexpr std::string_view kHostsPrefix = "v1/hosts/";
inline constexpr std::string_view kTypesPrefix = "v1/types/";
inline constexpr std::string_view kAccountsPrefix = "v1/accounts/";
inline constexpr std::string_view kTokensPrefix = "v1/tokens/";
// Signed requests that were served, by the end of their dates.
inline constexpr std::string_view kServedPrefix = "v1/served/";
inline constexpr std::string_view kGroupsPrefix = "v1/placement-groups/";

// The folder of a kind of object: "v1/instances/".
std::string_view kind_prefix(IdKind kind);

// kind_prefix + id + "/" + part.
std::string record_key(IdKind kind, std::string_view id, std::string_view part);

template <IdKind kKind>
std::string desired_key(Id<kKind> id) {
  return record_key(kKind, id.text(), "desired");
}
template <IdKind kKind>
std::string observed_key(Id<kKind> id) {
  return record_key(kKind, id.text(), "observed");
}
template <IdKind kKind>
std::string events_key(Id<kKind> id) {
  return record_key(kKind, id.text(), "events");
}
inline std::string placed_key(InstanceId id) { return record_key(IdKind::kInstance, id.text(), "placed"); }
inline std::string placed_key(VolumeId id) { return record_key(IdKind::kVolume, id.text(), "placed"); }
inline std::string placed_key(TransferId id) { return record_key(IdKind::kTransfer, id.text(), "placed"); }
inline std::string layers_key(HostId id) { return record_key(IdKind::kHost, id.text(), "layers"); }
inline std::string claims_key(HostId id) { return record_key(IdKind::kHost, id.text(), "claims"); }
inline std::string health_key(HostId id) { return record_key(IdKind::kHost, id.text(), "health"); }
// Bound to the host's lease; its value is empty.
inline std::string alive_key(HostId id) { return record_key(IdKind::kHost, id.text(), "alive"); }
// Put by each placement of the group's instances, so that they happen one after the other.
inline std::string group_turn_key(PlacementGroupId id) {
  return record_key(IdKind::kPlacementGroup, id.text(), "turn");
}
// Put with everything that comes to be inside of a network, so that who deletes it sees that something did.
inline std::string network_turn_key(VpcId id) { return record_key(IdKind::kVpc, id.text(), "turn"); }
// Which VPC has a VXLAN network identifier.
inline std::string network_number_key(u32 number) { return "v1/network-numbers/" + std::to_string(number); }
// Present while a subnet is being deleted: nobody takes an address of it then.
inline std::string subnet_closing_key(SubnetId id) { return record_key(IdKind::kSubnet, id.text(), "closing"); }
// Which allocation a public address is of.
inline std::string public_address_key(std::string_view address) {
  return std::string("v1/public-addresses/").append(address);
}
inline std::string template_version_key(LaunchTemplateId id, u64 number) {
  return record_key(IdKind::kLaunchTemplate, id.text(), "version-" + std::to_string(number));
}
std::string type_key(std::string_view name);
std::string account_key(const AccountId& id);
// Whose image it was; gone with its lease.
inline std::string deregistered_image_key(ImageId id) { return "v1/deregistered-images/" + id.text(); }
// Which image of an account has a name.
std::string image_name_key(const AccountId& account, std::string_view name);
std::string token_key(const AccountId& account, std::string_view action, std::string_view token);

// Who has an address of a subnet: the id of an interface.
std::string subnet_addresses_prefix(SubnetId subnet);
std::string subnet_address_key(SubnetId subnet, std::string_view address);

// The id and the part of a key of that kind: "i-0...", "desired"; empty views when it is no such key.
struct KeyParts {
  std::string_view id;
  std::string_view part;
};
KeyParts split_key(IdKind kind, std::string_view key);

}  // namespace pileus::model
