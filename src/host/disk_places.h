// Where a host keeps the disks of its cloud, and how it names them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "host/local_vm.h"
#include "model/id.h"
#include "store/disk_folder.h"
#include "store/layer_folder.h"

namespace pileus::host {

// Begins the name of a file in a bucket that is being written.
inline constexpr std::string_view kExportDraft = ".part-";

struct DiskPlaces {
  std::filesystem::path volumes;    // ID/: a volume's disk (store/disk_folder.h)
  std::filesystem::path snapshots;  // ID/: a disk that is as a snapshot, until the snapshot is completed
  std::filesystem::path transfers;  // ID/: what an import has made so far
  std::filesystem::path buckets;    // ACCOUNT/BUCKET/KEY: files that accounts import from and export to
  store::LayerFolder layers;

  // Makes the folders in `folder`, and removes what a killed predecessor was making or removing.
  static Result<DiskPlaces> open(const std::filesystem::path& folder);

  store::DiskFolder volume(model::VolumeId id) const { return store::DiskFolder(volumes / id.text()); }
  std::filesystem::path transfer(model::TransferId id) const { return transfers / id.text(); }
  // A file of an account's bucket. kInvalid for names that would lead elsewhere.
  Result<std::filesystem::path> bucket_file(const model::AccountId& account, const std::string& bucket,
                                            const std::string& key) const;

  store::DiskFolder snapshot(model::SnapshotId id) const { return store::DiskFolder(snapshots / id.text()); }
};

// A disk's folder and all in it. Out of sight first, so that no half of one is ever found.
Result<> remove_disk(const store::DiskFolder& folder);

// What the guest reads as the volume's id, as EC2's guests do: "vol0123456789abcdef0".
std::string serial_of(model::VolumeId id);
Result<model::VolumeId> volume_of_serial(const std::string& serial);

// The volumes that VMs of this host have now, running or not.
using Holders = std::map<model::VolumeId, LocalVm*>;

}  // namespace pileus::host
