// Ids in EC2's form: a prefix and 17 hexadecimal digits, i-0123456789abcdef0.
//
// The first digit of ours is always 0, as it is of Amazon's, so an id is a distinct type around a u64; 0 is no id. A
// well-formed id whose first digit is another one cannot be ours: parse() calls it kNotFound, not kInvalid, which is what
// clients expect of it.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::model {

enum class IdKind : u8 {
  kInstance,
  kImage,
  kHost,
  kKeyPair,
  kSecurityGroup,
  kSecurityGroupRule,
  kVpc,
  kSubnet,
  kVolume,
  kSnapshot,
  kInterface,
  kAllocation,
  kAssociation,
  kReservation,
  kPlacementGroup,
  kVpcBlock,
  kInternetGateway,
  kRouteTable,
  kRouteTableAssociation,
  kLaunchTemplate,
  kTransfer,
  kJoinToken,
};
std::string_view id_prefix(IdKind kind);  // "i", "ami", ..., without the dash

// kInvalid: not of the form. kNotFound: of the form, but none of ours.
Result<u64> parse_id(IdKind kind, std::string_view text);
std::string format_id(IdKind kind, u64 value);
u64 random_id();  // never 0; 64 bits of the system's randomness

template <IdKind kKind>
class Id {
 public:
  constexpr Id() = default;  // no id
  constexpr explicit Id(u64 value) : value_(value) {}
  static Id random() { return Id(random_id()); }
  static Result<Id> parse(std::string_view text) { return Id(TRY(parse_id(kKind, text))); }

  std::string text() const { return value_ == 0 ? std::string() : format_id(kKind, value_); }
  constexpr u64 value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  u64 value_ = 0;
};

using InstanceId = Id<IdKind::kInstance>;
using ImageId = Id<IdKind::kImage>;
using HostId = Id<IdKind::kHost>;
using KeyPairId = Id<IdKind::kKeyPair>;
using SecurityGroupId = Id<IdKind::kSecurityGroup>;
using SecurityGroupRuleId = Id<IdKind::kSecurityGroupRule>;
using VpcId = Id<IdKind::kVpc>;
using SubnetId = Id<IdKind::kSubnet>;
using VolumeId = Id<IdKind::kVolume>;
using SnapshotId = Id<IdKind::kSnapshot>;
using InterfaceId = Id<IdKind::kInterface>;
using AllocationId = Id<IdKind::kAllocation>;
using AssociationId = Id<IdKind::kAssociation>;
using ReservationId = Id<IdKind::kReservation>;
using PlacementGroupId = Id<IdKind::kPlacementGroup>;
using VpcBlockId = Id<IdKind::kVpcBlock>;  // that a VPC has a block of addresses
using InternetGatewayId = Id<IdKind::kInternetGateway>;
using RouteTableId = Id<IdKind::kRouteTable>;
using RouteTableAssociationId = Id<IdKind::kRouteTableAssociation>;
using LaunchTemplateId = Id<IdKind::kLaunchTemplate>;
using TransferId = Id<IdKind::kTransfer>;
using JoinTokenId = Id<IdKind::kJoinToken>;

// An account: 12 decimal digits, as in every "owner" of EC2.
class AccountId {
 public:
  constexpr AccountId() = default;  // no account
  static Result<AccountId> parse(std::string_view text);
  static AccountId random();
  const std::string& text() const { return text_; }
  explicit operator bool() const { return !text_.empty(); }
  auto operator<=>(const AccountId&) const = default;

 private:
  explicit AccountId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace pileus::model

template <pileus::model::IdKind kKind>
struct std::hash<pileus::model::Id<kKind>> {
  std::size_t operator()(const pileus::model::Id<kKind>& id) const noexcept {
    return std::hash<pileus::u64>()(id.value());
  }
};
