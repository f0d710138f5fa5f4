// A host: what the administrator wants of it, what it says of itself, what it has promised, and that it lives.
#pragma once

#include "model/instance.h"

namespace pileus::model {

enum class HostMode : u8 { kActive, kMaintenance, kRetired };
template <>
struct Names<HostMode> {
  static constexpr std::array<std::string_view, 3> kAll = {"active", "maintenance", "retired"};
};

// Written by the administrator (and once when the host joins).
struct HostDesired {
  HostId id;
  std::string name;
  HostMode mode = HostMode::kActive;  // maintenance: keeps its instances, gets no new ones
  std::string zone;
  std::string rack;
  u32 cpu_percent = 100;     // vCPUs given away for each 100 processors: above 100 is overcommitment
  u32 memory_percent = 100;  // the same of memory
  u32 disk_percent = 100;
  u64 reserved_memory_mib = 0;  // kept for the host itself
  Tags tags;
  bool operator==(const HostDesired&) const = default;
};

// Written by the host.
struct HostObserved {
  HostId id;
  Resources capacity;  // of the machine, before overcommitment and what is kept back
  std::vector<std::string> engines;
  std::vector<std::string> cpu_models;  // all that it can give to a guest
  std::vector<ImageId> images;          // whose blocks it has
  std::string version;
  Millis reported_at = 0;
  bool disk_full = false;  // no more than a little is left on the file system of its instances' disks
  std::string tunnel;  // where other hosts' switches reach its switch: "10.0.0.2:4789"; empty: not at all
  bool operator==(const HostObserved&) const = default;
};

// The layers of disks that a host holds, and where other hosts fetch them: "https://10.0.0.2:7450"; empty: nowhere.
// Written by the host.
struct HostLayers {
  HostId id;
  std::string address;
  std::vector<std::string> layers;  // sorted
  bool operator==(const HostLayers&) const = default;
};

// Written by schedulers, in the transaction that writes the instance's `placed` record: a scheduler that saw an earlier
// revision of it fails to commit, so two can never give the same room away.
struct HostClaims {
  HostId id;
  Resources claimed;
  u32 instances = 0;
  bool operator==(const HostClaims&) const = default;
};

// Written by the controller that watches hosts' leases.
struct HostHealth {
  HostId id;
  HostState state = HostState::kUnreachable;
  Millis changed_at = 0;
  bool operator==(const HostHealth&) const = default;
};

// What may be given away: capacity less what is kept back, times overcommitment.
Resources sellable(const HostDesired& desired, const HostObserved& observed);

}  // namespace pileus::model
