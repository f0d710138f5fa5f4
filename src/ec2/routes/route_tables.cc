// Route tables: made, deleted, shown.
#include "ec2/filters.h"
#include "ec2/internal/records.h"
#include "ec2/networks/blocks.h"
#include "ec2/networks/objects.h"
#include "ec2/pages.h"
#include "ec2/routes/handlers.h"
#include "ec2/routes/objects.h"
#include "ec2/routes/tables.h"
#include "ec2/tags/objects.h"

namespace pileus::ec2 {
namespace {

// A table with what it takes from its VPC.
struct Entry {
  model::RouteTable table;
  std::vector<model::VpcBlock> local;
};
const model::Tags& tags_of(const Entry& entry) { return entry.table.tags; }

template <typename Value>
Texts of_associations(const Entry& entry, Value value) {
  Texts texts;
  for (const auto& association : entry.table.associations) texts.push_back(value(association));
  return texts;
}
template <typename Value>
Texts of_routes(const Entry& entry, Value value) {
  Texts texts;
  for (const auto& route : entry.table.routes) texts.push_back(value(route));
  return texts;
}
using Association = model::RouteTableAssociation;
using model::Route;

constexpr Filter<Entry> kFilters[] = {
    {"route-table-id", [](const Entry& each) { return Texts{each.table.id.text()}; }},
    {"vpc-id", [](const Entry& each) { return Texts{each.table.vpc.text()}; }},
    {"owner-id", [](const Entry& each) { return Texts{each.table.account.text()}; }},
    {"association.main",
     [](const Entry& each) {
       return of_associations(each, [](const Association& a) { return std::string(a.subnet ? "false" : "true"); });
     }},
    {"association.route-table-association-id",
     [](const Entry& each) { return of_associations(each, [](const Association& a) { return a.id.text(); }); }},
    {"association.route-table-id",
     [](const Entry& each) { return of_associations(each, [&](const Association&) { return each.table.id.text(); }); }},
    {"association.subnet-id",
     [](const Entry& each) { return of_associations(each, [](const Association& a) { return a.subnet.text(); }); }},
    {"route.destination-cidr-block",
     [](const Entry& each) {
       Texts texts = of_routes(each, [](const Route& route) { return route.destination; });
       for (const auto& block : each.local) texts.push_back(block.cidr);
       return texts;
     }},
    {"route.gateway-id",
     [](const Entry& each) {
       Texts texts = of_routes(each, [](const Route& route) { return route.gateway.text(); });
       texts.emplace_back("local");
       return texts;
     }},
    {"route.instance-id",
     [](const Entry& each) { return of_routes(each, [](const Route& route) { return route.instance.text(); }); }},
    {"route.origin",
     [](const Entry& each) {
       Texts texts = of_routes(each, [](const Route&) { return std::string("CreateRoute"); });
       texts.emplace_back("CreateRouteTable");
       return texts;
     }},
    {"route.state", [](const Entry&) { return Texts{"active"}; }},
};

// A route leads nowhere once what it leads to is gone.
Reply<bool> is_active(const Call& call, const model::RouteTable& table, const Route& route) {
  if (route.gateway) {
    const auto gateway = TRY(control::read<model::InternetGateway>(call.store, model::desired_key(route.gateway)));
    return gateway.exists() && gateway.value.vpc == table.vpc;
  }
  const auto interface = TRY(control::read<model::InterfaceDesired>(call.store, model::desired_key(route.interface)));
  return interface.exists() && interface.value.instance;
}

Reply<> write_table(pugi::xml_node item, const Call& call, const Entry& entry) {
  const model::RouteTable& table = entry.table;
  add(item, "routeTableId", table.id.text());
  add(item, "vpcId", table.vpc.text());
  add(item, "ownerId", table.account.text());
  pugi::xml_node routes = add(item, "routeSet");
  for (const auto& block : entry.local) {
    pugi::xml_node node = add_item(routes);
    add(node, "destinationCidrBlock", block.cidr);
    add(node, "gatewayId", "local");
    add(node, "state", "active");
    add(node, "origin", "CreateRouteTable");
  }
  for (const Route& route : table.routes) {
    pugi::xml_node node = add_item(routes);
    add(node, "destinationCidrBlock", route.destination);
    add_if(node, "gatewayId", route.gateway.text());
    add_if(node, "instanceId", route.instance.text());
    if (route.instance) add(node, "instanceOwnerId", table.account.text());
    add_if(node, "networkInterfaceId", route.interface.text());
    add(node, "state", TRY(is_active(call, table, route)) ? "active" : "blackhole");
    add(node, "origin", "CreateRoute");
  }
  pugi::xml_node associations = add(item, "associationSet");
  for (const Association& association : table.associations) {
    pugi::xml_node node = add_item(associations);
    add(node, "routeTableAssociationId", association.id.text());
    add(node, "routeTableId", table.id.text());
    add_if(node, "subnetId", association.subnet.text());
    add_flag(node, "main", !association.subnet);
    add(add(node, "associationState"), "state", "associated");
  }
  add(item, "propagatingVgwSet");
  add_tags(item, table.tags);
  return {};
}

}  // namespace

model::RouteTable new_main_table(const model::VpcDesired& vpc) {
  model::RouteTable table;
  table.id = model::RouteTableId(vpc.id.value());
  table.account = vpc.account;
  table.vpc = vpc.id;
  table.associations.push_back({model::RouteTableAssociationId(vpc.id.value()), {}});
  return table;
}

Reply<std::vector<Table>> all_tables(const Call& call) {
  std::map<model::RouteTableId, Table> tables;
  for (const auto& vpc : TRY(all_records<model::VpcDesired>(call))) {
    model::RouteTable table = new_main_table(vpc);
    tables[table.id] = {std::move(table), 0};
  }
  for (const auto& table : TRY(all_records<model::RouteTable>(call))) {
    auto stored = TRY(control::read<model::RouteTable>(call.store, model::desired_key(table.id)));
    if (stored.exists()) tables[table.id] = std::move(stored);
  }
  std::vector<Table> result;
  for (auto& [id, table] : tables) result.push_back(std::move(table));
  return result;
}

Reply<Table> find_table(const Call& call, const std::string& text) {
  Reply<Table> found = find_record<model::RouteTable>(call, text);
  if (found || !found.error().code.ends_with(".NotFound")) return found;
  const Result<model::RouteTableId> id = model::RouteTableId::parse(text);
  if (!id) return found;
  const model::VpcId vpc_id(id->value());
  const auto vpc = TRY(control::read<model::VpcDesired>(call.store, model::desired_key(vpc_id)));
  if (!vpc.exists() || vpc.value.account != call.account.id) return found;
  return Table{new_main_table(vpc.value), 0};
}

Reply<> keep_main_table(const Call& call, const std::string& id) {
  return retry([&]() -> Reply<bool> {
    const Reply<Table> table = find_table(call, id);
    if (!table || table->revision != 0) return true;
    control::Change change;
    change.expect(state::Compare::exists(model::desired_key(table->value.vpc)));
    change.update(model::desired_key(table->value.id), table->value, 0);
    return TRY(change.commit(call.store)).has_value();
  });
}

Reply<> create_route_table(Call& call, pugi::xml_node answer) {
  model::RouteTable table;
  table.id = model::RouteTableId::random();
  table.account = call.account.id;
  table.tags = TRY(tags_for(call.parameters, "route-table"));
  const auto vpc = TRY(find_record<model::VpcDesired>(call, call.parameters.get("VpcId")));
  table.vpc = vpc.value.id;
  control::Change change;
  enter_vpc(change, table.vpc);
  change.update(model::desired_key(table.id), table, 0);
  if (!TRY(change.commit(call.store))) return not_found<model::VpcDesired>(call.parameters.get("VpcId"));
  return write_table(add(answer, "routeTable"), call, {table, blocks_of(vpc.value)});
}

Reply<> delete_route_table(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const Table table = TRY(find_table(call, call.parameters.get("RouteTableId")));
    const std::string id = table.value.id.text();
    if (is_main(table.value) || !table.value.associations.empty()) {
      return ApiError("DependencyViolation", "The routeTable '" + id + "' has dependencies and cannot be deleted.");
    }
    control::Change change;
    change.expect(model::desired_key(table.value.id), table.revision);
    change.erase(state::KeyRange::key(model::desired_key(table.value.id)));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_route_tables(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  TRY(ensure_default_network(call));
  std::vector<Table> tables;
  const std::vector<std::string> ids = call.parameters.list("RouteTableId");
  for (const std::string& id : ids) tables.push_back(TRY(find_table(call, id)));
  if (ids.empty()) tables = TRY(all_tables(call));
  std::map<model::VpcId, std::vector<model::VpcBlock>> blocks;
  for (const auto& vpc : TRY(all_records<model::VpcDesired>(call))) blocks[vpc.id] = blocks_of(vpc);
  std::vector<Entry> entries;
  for (Table& table : tables) {
    Entry entry{std::move(table.value), {}};
    entry.local = blocks[entry.table.vpc];
    if (filters.pass(entry)) entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, {}, [](const Entry& each) { return each.table.id; });
  pugi::xml_node set = add(answer, "routeTableSet");
  Reply<> written;
  write_page(
      page, entries, answer, [](const Entry& each) { return each.table.id.text(); },
      [&](const Entry& each) {
        if (Reply<> one = write_table(add_item(set), call, each); !one.ok()) written = std::move(one);
      });
  return written;
}

}  // namespace pileus::ec2
