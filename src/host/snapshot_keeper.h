// SnapshotKeeper: the snapshots that are pending on this host (control/disk_protocol.h). A snapshot is first a disk of its
// own that shares the volume's layers, done at once; then its layers get their names, which takes as long as reading them.
#pragma once

#include "control/host_protocol.h"
#include "host/cloud_link.h"
#include "host/disk_places.h"
#include "host/layer_worker.h"

namespace pileus::host {

class SnapshotKeeper {
 public:
  // All references outlive it.
  SnapshotKeeper(const DiskPlaces& places, LayerWorker& worker, CloudLink& cloud)
      : places_(places), worker_(worker), cloud_(cloud) {}

  // One round. True: something was done.
  bool step(control::DiskTasks& tasks, const std::vector<control::Assignment>& assignments, const Holders& holders);
  // Whether one of the instance's volumes is still to be kept as it is while the instance is down for its reboot.
  bool is_to_wait(const control::DiskTasks& tasks, const control::Assignment& assignment) const;

 private:
  Result<bool> attend(control::SnapshotTask& task, const control::DiskTasks& tasks,
                      const std::vector<control::Assignment>& assignments, const Holders& holders);
  Result<> take(const control::SnapshotTask& task, const control::DiskTasks& tasks, const Holders& holders);
  Result<> freeze(const control::SnapshotTask& task, const control::DiskTasks& tasks, const Holders& holders,
                  const std::string& mark);
  // Why it cannot be taken, ever; empty: it can.
  Result<std::string> why_never(const control::SnapshotTask& task) const;
  Result<bool> give_up(control::SnapshotTask& task, const std::string& why);
  Result<bool> name_layers(control::SnapshotTask& task);
  Result<> tell_waiting(control::SnapshotTask& task, const Error& failure);
  Result<> tell(control::SnapshotTask& task, model::SnapshotObserved observed, const std::string& what,
                const std::string& why);
  bool forget_done(const control::DiskTasks& tasks);

  const DiskPlaces& places_;
  LayerWorker& worker_;
  CloudLink& cloud_;
};

}  // namespace pileus::host
