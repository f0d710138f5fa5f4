// DiskView: volumes, snapshots and transfers as they stand in the store, with what is looked for in them. Part of View, and kept by it.
#pragma once

#include <map>
#include <set>

#include "control/records.h"
#include "model/image.h"
#include "model/transfer.h"

namespace pileus::control {

struct VolumeView {
  Stored<model::VolumeDesired> desired;
  Stored<model::VolumePlaced> placed;
  Stored<model::VolumeObserved> observed;
};

struct SnapshotView {
  Stored<model::SnapshotDesired> desired;
  Stored<model::SnapshotObserved> observed;
  bool pending() const {
    return desired.exists() && observed.exists() && observed.value.state == model::SnapshotState::kPending;
  }
};

struct TransferView {
  Stored<model::TransferDesired> desired;
  Stored<model::TransferPlaced> placed;
  Stored<model::TransferObserved> observed;
  bool active() const {
    return desired.exists() && observed.exists() && observed.value.state == model::TransferState::kActive;
  }
};

// Of an image of the library.
struct LibraryImage {
  std::string name;  // empty: it is made of snapshots
  std::string layer;  // that its disk is; empty: not known
};

// What an account has.
struct DiskUsage {
  u64 volume_gib = 0;
  u64 snapshots = 0;  // and those that active imports are to make
  bool operator==(const DiskUsage&) const = default;
};
// Of an import: the snapshots that it makes of files.
std::size_t new_snapshots(const model::TransferDesired& task);

class DiskView {
 public:
  void clear() { *this = DiskView(); }
  // Takes in a key of volumes, snapshots or images. What changed, for the notes; none when the key is another's.
  struct Changed {
    model::VolumeId volume;
    model::SnapshotId snapshot;
  };
  Result<Changed> apply(const state::KeyValue& entry, bool deleted);

  const std::map<model::VolumeId, VolumeView>& volumes() const { return volumes_; }
  const std::map<model::SnapshotId, SnapshotView>& snapshots() const { return snapshots_; }
  const std::map<model::TransferId, TransferView>& transfers() const { return transfers_; }
  // nullptr when it is not there.
  const TransferView* find(model::TransferId id) const;
  const VolumeView* find(model::VolumeId id) const;
  const SnapshotView* find(model::SnapshotId id) const;
  const LibraryImage* find(model::ImageId id) const;
  std::vector<model::ImageId> library_images() const;
  DiskUsage used_by(const model::AccountId& account) const;
  const std::set<model::VolumeId>& of_account(const model::AccountId& account) const;
  // Those with a `placed` record that names the host.
  const std::set<model::VolumeId>& on_host(model::HostId host) const;
  const std::set<model::SnapshotId>& pending_snapshots(model::VolumeId volume) const;
  const std::set<model::TransferId>& active_transfers() const { return active_transfers_; }
  const std::set<model::ImageId>& pending_images() const { return pending_images_; }
  // Whether anything but a host's own chains needs it.
  bool is_needed(const std::string& layer) const { return layers_.contains(layer); }

 private:
  Result<> apply_volume(model::VolumeId id, std::string_view part, const state::KeyValue& entry, bool deleted);
  Result<> apply_snapshot(model::SnapshotId id, std::string_view part, const state::KeyValue& entry, bool deleted);
  Result<> apply_image(model::ImageId id, std::string_view part, const state::KeyValue& entry, bool deleted);
  Result<> apply_transfer(model::TransferId id, std::string_view part, const state::KeyValue& entry, bool deleted);
  // As it was added: it must not have changed since.
  void index(const VolumeView& view, bool add);
  void index(const SnapshotView& view, bool add);
  void index(const TransferView& view, bool add);
  void need(const model::Layers& layers, bool add);
  void count(const model::AccountId& account, const DiskUsage& what, bool add);

  std::map<model::VolumeId, VolumeView> volumes_;
  std::map<model::SnapshotId, SnapshotView> snapshots_;
  std::map<model::TransferId, TransferView> transfers_;
  std::set<model::TransferId> active_transfers_;
  std::map<model::ImageId, LibraryImage> images_;
  std::set<model::ImageId> pending_images_;
  std::map<model::AccountId, std::set<model::VolumeId>> accounts_;
  std::map<model::AccountId, DiskUsage> used_;
  std::map<model::HostId, std::set<model::VolumeId>> placed_;
  std::map<model::VolumeId, std::set<model::SnapshotId>> pending_;
  std::map<std::string, u32> layers_;  // how many records need it
};

// Keeps the newer one: what we committed ourselves may be told again by the watch, later and older.
template <typename Record>
Result<> keep_newer(Stored<Record>& stored, const state::KeyValue& entry, bool deleted) {
  if (entry.mod_revision < stored.revision) return {};
  if (deleted) {
    stored = {};
    return {};
  }
  stored = TRY(decode_entry<Record>(entry));
  return {};
}

}  // namespace pileus::control
