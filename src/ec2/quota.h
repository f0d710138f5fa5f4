// What an account may still have: instances, processors, volumes, snapshots.
//
// Requests that arrive at once, here and at other cloud managers, count the same things. Where the quota is near they
// therefore take turns: each transaction expects that nobody has taken the account's turn since the count was made.
#pragma once

#include <optional>

#include "ec2/call.h"

namespace pileus::ec2 {

struct Allowance {
  u32 count = 0;  // instances that may be launched: as asked for, or what the quota leaves
  // Where turns are taken: the revision of the turn's record, which was read before the count.
  std::optional<state::Revision> turn;

  // To be part of the transaction that launches.
  void bind(const Call& call, control::Change& change) const;
};

// For `least` to `most` instances, each with `takes` of processors and of disks. InstanceLimitExceeded, VcpuLimitExceeded,
// VolumeLimitExceeded.
Reply<Allowance> read_allowance(const Call& call, const model::Resources& takes, u32 least, u32 most);

// For a transaction that makes so much more; of those of the same moment one goes through, and the others count again.
// VolumeLimitExceeded, SnapshotLimitExceeded.
Reply<> claim_volumes(const Call& call, control::Change& change, u64 more_gib);
Reply<> claim_snapshots(const Call& call, control::Change& change, std::size_t more);

}  // namespace pileus::ec2
