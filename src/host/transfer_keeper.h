// TransferKeeper: the imports and exports that this host carries out (control/disk_protocol.h).
#pragma once

#include "control/disk_protocol.h"
#include "host/cloud_link.h"
#include "host/disk_places.h"
#include "host/disk_transfer.h"
#include "host/layer_worker.h"
#include "host/transfer_worker.h"
#include "image/library.h"

namespace pileus::host {

class TransferKeeper {
 public:
  // All references outlive it. A transfer fails whose layers have failed for as long as `patience`.
  TransferKeeper(const image::Library& library, const DiskPlaces& places, LayerWorker& layers, CloudLink& cloud,
                 std::chrono::milliseconds patience = std::chrono::minutes(10))
      : library_(library), places_(places), layers_(layers), cloud_(cloud), patience_(patience), fetcher_(places) {}

  // One round. True: something was done.
  bool step(control::DiskTasks& tasks);

 private:
  Result<bool> attend(control::TransferTask& task, const control::DiskTasks& tasks);
  Result<bool> import_next(control::TransferTask& task, std::size_t number);
  Result<bool> adopt(control::TransferTask& task, const StagedDisk& staged);
  Result<bool> export_image(control::TransferTask& task, const control::DiskTasks& tasks);
  Result<bool> wait_for_layers(control::TransferTask& task, const std::string& what, bool fails, double part_of_disk);
  Result<bool> follow(control::TransferTask& task, const TransferWorker::State& state);
  Result<bool> tell_progress(control::TransferTask& task, const std::string& what, double part_of_disk);
  // Without the paths of the host: a bucket's file is named as its account names it.
  std::string plain(std::string message, const control::TransferTask& task) const;
  Result<> tell(control::TransferTask& task, model::TransferObserved observed);
  void forget_others(const control::DiskTasks& tasks);

  const image::Library& library_;
  const DiskPlaces& places_;
  LayerWorker& layers_;
  CloudLink& cloud_;
  const std::chrono::milliseconds patience_;
  const FileFetcher fetcher_;
  std::map<std::string, std::chrono::steady_clock::time_point> failing_since_;  // transfers that wait for layers
  TransferWorker worker_;  // last, so that its threads end first
};

}  // namespace pileus::host
