// Accounts, key pairs, placement groups: records that are as soon as they are written, and have no observed half.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct AccessKey {
  std::string id;      // "AKIA..."
  std::string secret;  // in the clear: Signature V4 needs it
  bool enabled = true;
  bool operator==(const AccessKey&) const = default;
};
struct Quota {
  u32 instances = 100;
  u32 vcpus = 400;
  u64 volume_gib = 10000;
  u32 snapshots = 1000;
  bool operator==(const Quota&) const = default;
};
struct Account {
  AccountId id;
  std::string name;
  bool administrator = false;
  std::vector<AccessKey> access_keys;
  Quota quota;
  Millis created_at = 0;
  bool operator==(const Account&) const = default;
};

struct KeyPair {
  KeyPairId id;
  AccountId account;
  std::string name;
  std::string type;         // "rsa", "ed25519"
  std::string public_key;   // OpenSSH's line
  std::string fingerprint;  // a pure function of the key
  Millis created_at = 0;
  Tags tags;
  bool operator==(const KeyPair&) const = default;
};

enum class GroupStrategy : u8 { kCluster, kSpread, kPartition };
template <>
struct Names<GroupStrategy> {
  static constexpr std::array<std::string_view, 3> kAll = {"cluster", "spread", "partition"};
};
enum class SpreadLevel : u8 { kHost, kRack };
template <>
struct Names<SpreadLevel> {
  static constexpr std::array<std::string_view, 2> kAll = {"host", "rack"};
};
struct PlacementGroup {
  PlacementGroupId id;
  AccountId account;
  std::string name;
  GroupStrategy strategy = GroupStrategy::kCluster;
  SpreadLevel spread_level = SpreadLevel::kRack;
  u32 partitions = 0;  // of a partition group: 1 to 7
  Tags tags;
  bool operator==(const PlacementGroup&) const = default;
};

}  // namespace pileus::model
