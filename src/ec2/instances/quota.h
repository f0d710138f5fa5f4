// What an account may still launch.
//
// Requests that arrive at once, here and at other cloud managers, count the same instances. Where the quota is near they
// therefore take turns: each transaction expects that nobody has launched since the count was made.
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

// For `least` to `most` instances. InstanceLimitExceeded, VcpuLimitExceeded.
Reply<Allowance> read_allowance(const Call& call, const model::Resources& takes, u32 least, u32 most);

}  // namespace pileus::ec2
