// The turn of a placement group: whoever places an instance of it takes the turn, so that of two decisions made side by side
// only one holds.
#pragma once

#include "control/records.h"
#include "placement/decide.h"

namespace pileus::control {

struct GroupTurn {
  placement::GroupRequest request;
  state::Revision turn = 0;  // of the group: read before the decision

  // To be part of the transaction that places.
  void take(Change& change) const;
};

// None when the group does not exist. `partition`: that is wanted; 0: any.
Result<std::optional<GroupTurn>> read_group_turn(state::Store& store, model::PlacementGroupId id, u32 partition);

}  // namespace pileus::control
