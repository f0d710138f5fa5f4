// Which route table each subnet follows.
#include "ec2/internal/records.h"
#include "ec2/routes/handlers.h"
#include "ec2/routes/objects.h"
#include "ec2/routes/tables.h"
#include "ec2/xml.h"

namespace pileus::ec2 {
namespace {

using Association = model::RouteTableAssociation;

void write_state(pugi::xml_node answer) { add(add(answer, "associationState"), "state", "associated"); }

void put(control::Change& change, const Table& table) {
  change.expect(state::Compare::exists(model::desired_key(table.value.vpc)));
  change.update(model::desired_key(table.value.id), table.value, table.revision);
}

std::vector<Association>::iterator position(Table& table, const std::string& id) {
  return std::ranges::find_if(table.value.associations, [&](const Association& each) { return each.id.text() == id; });
}

}  // namespace

Reply<Table> find_association(const Call& call, const std::string& id) {
  for (Table& table : TRY(all_tables(call))) {
    if (position(table, id) != table.value.associations.end()) return std::move(table);
  }
  return ApiError("InvalidAssociationID.NotFound", "The association ID '" + id.substr(0, 60) + "' does not exist");
}

Reply<> leave_route_tables(const Call& call, model::SubnetId subnet, control::Change& change) {
  for (Table& table : TRY(all_tables(call))) {
    const auto left = std::erase_if(table.value.associations, [&](const auto& each) { return each.subnet == subnet; });
    if (left != 0) change.update(model::desired_key(table.value.id), table.value, table.revision);
  }
  return {};
}

Reply<> associate_route_table(Call& call, pugi::xml_node answer) {
  if (call.parameters.has("GatewayId")) {
    return ApiError("UnsupportedOperation", "Gateways have no route tables here: associate subnets");
  }
  if (!call.parameters.has("SubnetId")) {
    return ApiError("MissingParameter", "The request must contain the parameter SubnetId");
  }
  Association made;
  const auto attempt = [&]() -> Reply<bool> {
    Table table = TRY(find_table(call, call.parameters.get("RouteTableId")));
    const auto subnet = TRY(find_record<model::SubnetDesired>(call, call.parameters.get("SubnetId"))).value;
    if (subnet.vpc != table.value.vpc) {
      return ApiError("InvalidParameterValue", "Route table " + table.value.id.text() + " and subnet " +
                                                   subnet.id.text() + " belong to different networks");
    }
    for (const Table& other : TRY(all_tables(call))) {
      for (const Association& each : other.value.associations) {
        if (each.subnet != subnet.id) continue;
        made = each;
        if (other.value.id == table.value.id) return true;
        return ApiError("Resource.AlreadyAssociated", "the specified association for route table " +
                                                          table.value.id.text() +
                                                          " conflicts with an existing association: " + each.id.text());
      }
    }
    made = {model::RouteTableAssociationId::random(), subnet.id};
    table.value.associations.push_back(made);
    control::Change change;
    change.expect(state::Compare::exists(model::desired_key(subnet.id)));
    put(change, table);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add(answer, "associationId", made.id.text());
  write_state(answer);
  return {};
}

Reply<> disassociate_route_table(Call& call, pugi::xml_node answer) {
  const std::string& id = call.parameters.get("AssociationId");
  const auto attempt = [&]() -> Reply<bool> {
    Table table = TRY(find_association(call, id));
    const auto at = position(table, id);
    if (!at->subnet) {
      return ApiError("InvalidParameterValue", "cannot disassociate the main route table association " + id);
    }
    table.value.associations.erase(at);
    control::Change change;
    put(change, table);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> replace_route_table_association(Call& call, pugi::xml_node answer) {
  const std::string& id = call.parameters.get("AssociationId");
  const auto made = model::RouteTableAssociationId::random();
  const auto attempt = [&]() -> Reply<bool> {
    Table from = TRY(find_association(call, id));
    Table to = TRY(find_table(call, call.parameters.get("RouteTableId")));
    const auto at = position(from, id);
    if (!at->subnet) {
      return ApiError("UnsupportedOperation", "The main route table of a network stays the main one here");
    }
    if (from.value.vpc != to.value.vpc) {
      return ApiError("InvalidParameterValue", "The two route tables belong to different networks");
    }
    const Association moved = {made, at->subnet};
    from.value.associations.erase(at);
    control::Change change;
    if (from.value.id == to.value.id) {
      from.value.associations.push_back(moved);
    } else {
      to.value.associations.push_back(moved);
      change.update(model::desired_key(to.value.id), to.value, to.revision);
    }
    put(change, from);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add(answer, "newAssociationId", made.text());
  write_state(answer);
  return {};
}

}  // namespace pileus::ec2
