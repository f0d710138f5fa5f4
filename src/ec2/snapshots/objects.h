// Snapshots, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "ec2/volumes/objects.h"

namespace pileus::ec2 {

struct SnapshotEntry {
  model::SnapshotDesired desired;
  model::SnapshotObserved observed;
  state::Revision revision = 0;  // of the desired record
};

// Those that the account owns or may use, by id; with `ids` only those. InvalidSnapshot.NotFound,
// InvalidSnapshotID.Malformed.
Reply<std::vector<SnapshotEntry>> find_snapshots(const Call& call, const std::vector<std::string>& ids);
// To begin a volume as. IncorrectState while it is not completed.
Reply<SnapshotEntry> usable_snapshot(const Call& call, const std::string& id);
// The account's own, to be changed. AuthFailure for another's.
Reply<SnapshotEntry> own_snapshot(const Call& call, const std::string& id);

// Puts a new snapshot of the volume into the transaction: completed at once when the volume lives nowhere.
// IncorrectState for a volume that is going.
Reply<SnapshotEntry> add_snapshot(const Call& call, control::Change& change, const VolumeEntry& volume,
                                  model::SnapshotDesired desired);

}  // namespace pileus::ec2
