// Inventory: the hosts of a cloud and what is on them, as placement needs it, in memory.
//
// One array for each property of a host (structure of arrays): a decision reads a few of them from end to end. Names are
// interned to numbers. Updates are idempotent, so that a watch can feed it: an instance or host that is told again with
// other properties replaces what was known.
//
// A HostIndex is valid for the inventory's life; a host that was removed keeps its index and is refused by every check.
// Threads: none inside; readers may share it while nobody writes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/account.h"
#include "model/host.h"
#include "placement/interner.h"

namespace pileus::placement {

using HostIndex = u32;
inline constexpr HostIndex kNoHost = UINT32_MAX;

// kFull: what was sold of its disk is not there, whatever the sum of the claims says.
enum class HostStatus : u8 { kOpen, kUnreachable, kMaintenance, kFull, kGone };

struct HostProperties {
  model::HostId id;
  model::Resources sellable;  // after overcommitment: model::sellable()
  HostStatus status = HostStatus::kOpen;
  std::string zone;
  std::string rack;  // empty: not known; such a host is a rack of its own where instances must be apart
  std::vector<std::string> engines;
  std::vector<std::string> cpu_models;
  std::vector<model::ImageId> images;
};

// What an instance occupies.
struct Claim {
  HostIndex host = kNoHost;
  model::Resources takes;
  model::PlacementGroupId group;
  u32 partition = 0;
  HostIndex also = kNoHost;  // that holds the same for it, because it is moving there
};

// Where the instances of a placement group are.
struct GroupUse {
  std::unordered_map<HostIndex, u32> hosts;  // instances on a host
  // Instances of a partition in a failure domain, by partition; a domain is a rack, or a host without one.
  std::unordered_map<u64, std::unordered_map<u32, u32>> domains;
  std::unordered_map<u32, u32> partitions;  // instances in a partition
};

class Inventory {
 public:
  // Engines and CPU models, all hosts together: a host has them as bits.
  static constexpr u32 kMaxKinds = 64;

  // kExhausted beyond kMaxKinds engines or CPU models; nothing is changed then.
  Result<HostIndex> put_host(const HostProperties& host);
  void erase_host(model::HostId id);
  void put_instance(model::InstanceId id, const Claim& claim);
  void erase_instance(model::InstanceId id);

  HostIndex find_host(model::HostId id) const;  // or kNoHost
  const Claim* find_instance(model::InstanceId id) const;
  const GroupUse* find_group(model::PlacementGroupId id) const;

  u32 host_slots() const { return static_cast<u32>(ids_.size()); }  // hosts that were ever put
  std::size_t instance_count() const { return instances_.size(); }
  model::HostId id(HostIndex host) const { return ids_[host]; }
  HostStatus status(HostIndex host) const { return statuses_[host]; }
  // Sellable less claimed. Below zero when the administrator took back what was sold already.
  i64 free_vcpus(HostIndex host) const { return free_vcpus_[host]; }
  i64 free_memory_mib(HostIndex host) const { return free_memory_mib_[host]; }
  i64 free_disk_gib(HostIndex host) const { return free_disk_gib_[host]; }
  // 1 / sellable, to turn an amount into a fraction; 0 where nothing is sellable.
  float per_vcpu(HostIndex host) const { return per_vcpu_[host]; }
  float per_mib(HostIndex host) const { return per_mib_[host]; }
  u32 zone(HostIndex host) const { return zones_[host]; }
  u32 rack(HostIndex host) const { return racks_[host]; }
  u32 no_rack() const { return no_rack_; }
  u64 engines(HostIndex host) const { return engines_[host]; }
  u64 cpu_models(HostIndex host) const { return cpu_models_[host]; }
  // The failure domain for instances that must be apart.
  u64 domain(HostIndex host) const {
    return racks_[host] == no_rack_ ? (u64{1} << 32) | host : (u64{zones_[host]} << 33) | racks_[host];
  }
  // One bit per host; nullptr when no host has the image.
  const std::vector<u64>* hosts_with(model::ImageId image) const;
  // Whether a host has it, be it open or not; gone ones do not count.
  bool is_somewhere(model::ImageId image) const;
  bool has_hosts() const;

  const Interner& labels() const { return labels_; }
  const Interner& engine_names() const { return engine_names_; }
  const Interner& cpu_model_names() const { return cpu_model_names_; }

 private:
  void account(const Claim& claim, bool comes);
  void account_on(HostIndex host, const Claim& claim, bool comes);
  void set_images(HostIndex host, std::span<const model::ImageId> images);
  HostIndex add_slot(model::HostId id);
  void move_domain(HostIndex host, u32 zone, u32 rack);

  Interner labels_;  // zones and racks
  Interner engine_names_;
  Interner cpu_model_names_;
  u32 no_rack_ = labels_.intern("");

  std::vector<model::HostId> ids_;
  std::vector<HostStatus> statuses_;
  std::vector<i64> free_vcpus_, free_memory_mib_, free_disk_gib_;
  std::vector<float> per_vcpu_, per_mib_;
  std::vector<u32> zones_, racks_;
  std::vector<u64> engines_, cpu_models_;
  std::vector<model::Resources> sellable_;
  std::vector<std::vector<model::ImageId>> images_;

  std::unordered_map<model::HostId, HostIndex> by_id_;
  std::unordered_map<model::InstanceId, Claim> instances_;
  std::unordered_map<model::PlacementGroupId, GroupUse> groups_;
  std::unordered_map<model::ImageId, std::vector<u64>> image_hosts_;
};

}  // namespace pileus::placement
