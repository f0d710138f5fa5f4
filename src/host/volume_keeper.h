// VolumeKeeper: the volumes of this host as the cloud manager asks for them (control/disk_protocol.h). Compares and acts;
// killed at any moment, the next round goes on from the folders that it finds.
#pragma once

#include <map>
#include <set>
#include <string>

#include "host/cloud_link.h"
#include "host/disk_places.h"
#include "host/layer_worker.h"
#include "image/library.h"

namespace pileus::host {

class VolumeKeeper {
 public:
  // All references outlive it.
  VolumeKeeper(const image::Library& library, const DiskPlaces& places, LayerWorker& worker, CloudLink& cloud)
      : library_(library), places_(places), worker_(worker), cloud_(cloud) {}

  // One round, in which none of `others` is made. True: something was done.
  bool step(control::DiskTasks& tasks, const Holders& holders, const std::set<model::VolumeId>& others);
  // Why the volume is not there yet; empty: it is.
  std::string waits_for(const control::DiskTasks& tasks, model::VolumeId id) const;

 private:
  struct Told {
    std::string what;
    std::string why;
    bool deleted = false;
  };
  Result<bool> attend(control::VolumeTask& task, const control::DiskTasks& tasks, const Holders& holders);
  Result<bool> hold(control::VolumeTask& task, const control::DiskTasks& tasks, const Holders& holders);
  Result<bool> hand_over(control::VolumeTask& task);
  Result<bool> remove(control::VolumeTask& task);
  // False: what it is made of is not here yet, and the cloud was told.
  Result<bool> make(control::VolumeTask& task, const control::DiskTasks& tasks);
  Result<> grow(const control::VolumeTask& task, u64 bytes, const Holders& holders);
  Result<> tell(control::VolumeTask& task, model::VolumeObserved observed, Told told);
  Result<> tell_reason(control::VolumeTask& task, const std::string& reason);
  bool forget_handed_over(const control::DiskTasks& tasks, const Holders& holders);

  const image::Library& library_;
  const DiskPlaces& places_;
  LayerWorker& worker_;
  CloudLink& cloud_;
};

}  // namespace pileus::host
