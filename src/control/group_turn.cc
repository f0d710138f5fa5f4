#include "control/group_turn.h"

#include "model/account.h"

namespace pileus::control {

void GroupTurn::take(Change& change) const {
  change.expect(model::group_turn_key(request.id), turn);
  change.put(model::group_turn_key(request.id), "");
}

Result<std::optional<GroupTurn>> read_group_turn(state::Store& store, model::PlacementGroupId id, u32 partition) {
  const auto group = TRY(read<model::PlacementGroup>(store, model::desired_key(id)));
  if (!group.exists()) return std::optional<GroupTurn>();
  GroupTurn turn;
  turn.request = {group.value.id, group.value.strategy, group.value.spread_level, group.value.partitions, partition};
  const auto entry = TRY(store.get(model::group_turn_key(id)));
  if (entry) turn.turn = entry->mod_revision;
  return std::optional(turn);
}

}  // namespace pileus::control
