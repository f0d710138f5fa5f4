// Whether a host can take a request: the one function that both the search and the check at commit time call, so that
// what was planned and what is committed are never judged by different rules.
#pragma once

#include <optional>
#include <set>

#include "placement/inventory.h"

namespace pileus::placement {

struct GroupRequest {
  model::PlacementGroupId id;
  model::GroupStrategy strategy = model::GroupStrategy::kCluster;
  model::SpreadLevel spread_level = model::SpreadLevel::kHost;
  u32 partitions = 1;  // of a partition group
  u32 partition = 0;   // from 1; 0: whichever has the fewest instances and room
};

// Where an image can be had.
enum class ImageReach : u8 {
  kUnknown,  // hosts do not say: it is made of snapshots
  kLocal,    // on the hosts that have it
  kShared,   // on all: those that have it give it to the others
};

// Empty texts and ids: does not matter.
struct Request {
  model::Resources takes;
  std::string zone;
  std::string engine;
  std::string cpu_model;
  model::ImageId image;  // preferred where it is already
  ImageReach image_reach = ImageReach::kUnknown;
  // Those that hold what its disks begin as; none: they do not matter, all hosts have that or can get it.
  std::optional<std::set<model::HostId>> layer_hosts;
  model::HostId host;
  model::HostId not_host;  // it is there, and is to go elsewhere
  std::optional<GroupRequest> group;
};

// A request in the numbers of one inventory. Valid until that inventory changes.
struct Query {
  static constexpr u32 kAny = UINT32_MAX - 1;  // Interner::kUnknown matches nothing
  i64 vcpus = 0;
  i64 memory_mib = 0;
  i64 disk_gib = 0;
  u32 zone = kAny;
  u64 engine = 0;  // bits, all of which a host must have
  u64 cpu_model = 0;
  bool impossible_engine = false;
  bool impossible_cpu_model = false;
  model::HostId host;
  model::HostId not_host;
  const GroupUse* use = nullptr;  // none: the group is empty
  std::optional<GroupRequest> group;
  // A cluster group that has instances is bound to their zone and rack.
  bool bound = false;
  u32 bound_zone = 0;
  u32 bound_rack = 0;
  const std::vector<u64>* image_hosts = nullptr;  // a bit for each host that has the image; none: nobody has
  bool needs_image = false;
  std::optional<std::vector<bool>> layer_hosts;  // by index, as many as there are hosts

  bool has_image(HostIndex where) const {
    if (image_hosts == nullptr || where / 64 >= image_hosts->size()) return false;
    return (((*image_hosts)[where / 64] >> (where % 64)) & 1) != 0;
  }
};

Query compile(const Inventory& inventory, const Request& request);

// Why a host was refused: the first reason in this order.
enum class Refusal : u8 {
  kNone,
  kGone,
  kUnreachable,
  kMaintenance,
  kFull,
  kOtherHost,
  kSameHost,
  kZone,
  kEngine,
  kCpuModel,
  kImage,
  kLayers,
  kVcpus,
  kMemory,
  kDisk,
  kGroup,
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::kGroup) + 1;

Refusal check_group(const Inventory& inventory, HostIndex host, const Query& query);

inline Refusal check(const Inventory& inventory, HostIndex host, const Query& query) {
  switch (inventory.status(host)) {
    case HostStatus::kOpen: break;
    case HostStatus::kUnreachable: return Refusal::kUnreachable;
    case HostStatus::kMaintenance: return Refusal::kMaintenance;
    case HostStatus::kFull: return Refusal::kFull;
    case HostStatus::kGone: return Refusal::kGone;
  }
  if (query.host && inventory.id(host) != query.host) return Refusal::kOtherHost;
  if (query.not_host && inventory.id(host) == query.not_host) return Refusal::kSameHost;
  if (query.zone != Query::kAny && inventory.zone(host) != query.zone) return Refusal::kZone;
  if (query.impossible_engine || (inventory.engines(host) & query.engine) != query.engine) return Refusal::kEngine;
  if (query.impossible_cpu_model || (inventory.cpu_models(host) & query.cpu_model) != query.cpu_model) {
    return Refusal::kCpuModel;
  }
  if (query.needs_image && !query.has_image(host)) return Refusal::kImage;
  if (query.layer_hosts && !(*query.layer_hosts)[host]) return Refusal::kLayers;
  if (inventory.free_vcpus(host) < query.vcpus) return Refusal::kVcpus;
  if (inventory.free_memory_mib(host) < query.memory_mib) return Refusal::kMemory;
  if (inventory.free_disk_gib(host) < query.disk_gib) return Refusal::kDisk;
  return query.use != nullptr ? check_group(inventory, host, query) : Refusal::kNone;
}

}  // namespace pileus::placement
