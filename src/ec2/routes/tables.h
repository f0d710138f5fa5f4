// Route tables as this group works with them: main tables are there without a record.
#pragma once

#include <vector>

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

using Table = control::Stored<model::RouteTable>;

// All of the account, by id.
Reply<std::vector<Table>> all_tables(const Call& call);
// InvalidRouteTableID.NotFound, InvalidRouteTableID.Malformed.
Reply<Table> find_table(const Call& call, const std::string& id);
Reply<Table> find_association(const Call& call, const std::string& id);

// Has `act` change the table that the parameter RouteTableId names.
template <typename Act>
Reply<> change_table(const Call& call, Act act) {
  return retry([&]() -> Reply<bool> {
    Table table = TRY(find_table(call, call.parameters.get("RouteTableId")));
    TRY(act(table.value));
    control::Change change;
    change.expect(state::Compare::exists(model::desired_key(table.value.vpc)));
    change.update(model::desired_key(table.value.id), table.value, table.revision);
    return TRY(change.commit(call.store)).has_value();
  });
}

}  // namespace pileus::ec2
