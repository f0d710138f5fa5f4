// What hosts tell of volumes and snapshots, written down.
#pragma once

#include "control/clock.h"
#include "control/disk_protocol.h"
#include "control/view.h"

namespace pileus::control {

// kNotFound: the volume lives elsewhere, or came here again since; nobody waits for the snapshot. kInvalid: not a state
// that follows the last.
Result<> observe_volume(state::Store& store, const Clock& clock, model::HostId host, const VolumeObservation& told);
Result<> observe_snapshot(state::Store& store, const Clock& clock, model::HostId host, const SnapshotObservation& told);

// Removes a volume's records, as they were read.
void erase_volume(Change& change, const VolumeView& volume);

}  // namespace pileus::control
