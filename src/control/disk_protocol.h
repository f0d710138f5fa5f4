// What hosts and the cloud manager say to each other of volumes, snapshots, transfers and layers (docs/formats/host-protocol.md).
//
// DiskTasks is part of what a host is asked for. A host acts on the difference, as it does with instances:
//   1. A volume whose goal is kHold and that the host does not have yet is made, of its layers (or the library's image)
//      and an empty top. Layers that it lacks it fetches from `layer_sources`. What it has is only ever grown.
//   2. An instance has the disks that its desired record names, in that order, as far as they are held here. The host tells
//      which ones it has in InstanceObserved::attached_volumes; while it runs, they come and go by hot-plug.
//   3. kHandOver, once no VM has it: the top is made a layer, and the whole chain is told (VolumeObserved::layers).
//      kDelete, likewise: everything of it is removed, and `deleted` is told.
//   4. A snapshot freezes the volume's top at a moment between two of the guest's writes, the same for all of that `moment`,
//      and is told to be completed when its layers are in the folder of layers.
//   5. With a terminated instance go its disks that are to be deleted on termination; it is not told to be terminated before
//      the pending snapshots of its volumes are taken and these disks are gone.
//   6. A transfer is carried out once: what is told of it is written down, and a host that was killed goes on from there. A
//      mistake of the task itself is told as failed and not tried again.
//   7. `layers_ahead` are fetched though nothing here needs them yet. An instance that is to leave (InstancePlaced::migration,
//      `down`) and is stopped has its VM removed, and with that lets go of its volumes: they are handed over by 3.
//   8. A layer that is in nobody's chain here and not in `needed_layers` may be removed, some time after it came.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/host.h"
#include "model/transfer.h"

namespace pileus::control {

inline constexpr std::string_view kObserveVolumePath = "/v1/observe-volume";
inline constexpr std::string_view kObserveSnapshotPath = "/v1/observe-snapshot";
inline constexpr std::string_view kObserveTransferPath = "/v1/observe-transfer";

enum class VolumeGoal : u8 { kHold, kHandOver, kDelete };

struct VolumeTask {
  model::VolumeId id;
  VolumeGoal goal = VolumeGoal::kHold;
  u64 epoch = 0;  // of its place here: told again with what is observed
  u64 size_gib = 0;
  model::Layers layers;  // that it begins as, bottom first
  std::string image_name;  // of the library, that it begins as when there are no layers; empty: it begins empty
  model::InstanceId instance;  // that it is to be attached to; none: to none
  std::string device;  // "/dev/xvdf"
  model::VolumeObserved observed;
};

struct SnapshotTask {
  model::SnapshotId id;
  model::VolumeId volume;
  u64 with_reboot =
      0;  // SnapshotDesired::with_reboot: it may be taken once the instance is down for that reboot, or stopped
  u64 moment = 0;  // SnapshotDesired::moment
  model::SnapshotObserved observed;
};

struct TransferTask {
  model::TransferDesired desired;
  model::TransferObserved observed;
};

struct DiskTasks {
  std::vector<VolumeTask> volumes;
  std::vector<SnapshotTask> snapshots;  // those that are pending
  std::vector<TransferTask> transfers;  // those that are active
  std::vector<std::string> needed_layers;  // of those that the host holds
  std::vector<std::string> layers_ahead;  // of instances that are coming: to be fetched before they are here
  std::map<std::string, std::vector<std::string>> layer_sources;  // of those it may lack: addresses of hosts
};

struct VolumeObservation {
  model::VolumeObserved observed;  // host and changed_at are filled in by the cloud manager
  bool deleted = false;  // nothing of it is left here
  std::string what;  // for the event: "grown"; empty: none is written
  std::string why;
};

struct SnapshotObservation {
  model::SnapshotObserved observed;
  std::string what;
  std::string why;
};

struct TransferObservation {
  model::TransferObserved observed;  // changed_at is filled in by the cloud manager
};

std::string encode(const TransferObservation& message);
std::string encode(const VolumeObservation& message);
std::string encode(const SnapshotObservation& message);
// kCorrupt, as in host_protocol.h.
Result<TransferObservation> parse_transfer_observation(std::string_view text);
Result<VolumeObservation> parse_volume_observation(std::string_view text);
Result<SnapshotObservation> parse_snapshot_observation(std::string_view text);

// A layer's name: 64 lower-case hexadecimal digits.
bool is_layer_id(std::string_view text);

}  // namespace pileus::control

template <>
struct pileus::model::Names<pileus::control::VolumeGoal> {
  static constexpr std::array<std::string_view, 3> kAll = {"hold", "hand-over", "delete"};
};
