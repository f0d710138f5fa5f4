// HostDisks: all about the disks of this host's instances: volumes, snapshots, layers, their way to other hosts, and into
// the cloud and out of it.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "host/layer_server.h"
#include "host/layer_worker.h"
#include "host/snapshot_keeper.h"
#include "host/transfer_keeper.h"
#include "host/vm_disks.h"
#include "host/volume_keeper.h"

namespace pileus::host {

class HostDisks {
 public:
  // In `folder`: volumes/, snapshots/, transfers/, buckets/ and layers/. `client` is how other hosts are asked. References outlive it.
  static Result<std::unique_ptr<HostDisks>> open(const image::Library& library, const std::filesystem::path& folder,
                                                 CloudLink& cloud, std::unique_ptr<http::Client> client);
  // From now on other hosts may fetch our layers at any free port of `address`.
  Result<> serve_layers(const Membership& membership, const std::string& address);

  // One round, before that of the instances. True: something was done.
  bool step(control::DiskTasks& tasks, const std::vector<control::Assignment>& assignments,
            std::map<model::InstanceId, LocalVm>& vms, LocalVm::Time now);

  // Removes the disks that go with an instance that ends, and whose VM is gone. False: one is still wanted for a snapshot.
  Result<bool> remove_disks_of(const control::Assignment& assignment, const control::DiskTasks& tasks);

  const DiskPlaces& places() const { return places_; }
  const VolumeKeeper& volumes() const { return volumes_; }
  const SnapshotKeeper& snapshots() const { return snapshots_; }
  // What the cloud is to know of our layers.
  void fill_in(control::HostReport& report);
  // True once after a layer has come or got its id: others may wait to hear of it.
  bool take_news() { return news_.exchange(false); }

 private:
  HostDisks(const image::Library& library, DiskPlaces places, CloudLink& cloud, std::unique_ptr<http::Client> client);
  void collect_garbage(const control::DiskTasks& tasks);

  const image::Library& library_;
  const DiskPlaces places_;
  LayerWorker worker_;
  VolumeKeeper volumes_;
  SnapshotKeeper snapshots_;
  TransferKeeper transfers_;
  std::unique_ptr<LayerServer> server_;  // may be null
  LocalVm::Time cleaned_;
  std::atomic<bool> news_{false};
};

}  // namespace pileus::host
