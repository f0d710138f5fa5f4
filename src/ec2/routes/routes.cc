// Single routes.
#include "ec2/internal/records.h"
#include "ec2/networks/blocks.h"
#include "ec2/networks/objects.h"
#include "ec2/routes/handlers.h"
#include "ec2/routes/tables.h"
#include "ec2/xml.h"

namespace pileus::ec2 {
namespace {

using model::Route;
constexpr std::size_t kMaxRoutes = 50;

Reply<std::string> read_destination(const Parameters& given) {
  if (given.has("DestinationIpv6CidrBlock")) return no_ipv6();
  if (given.has("DestinationPrefixListId")) {
    return ApiError("UnsupportedOperation", "There are no prefix lists here: name a DestinationCidrBlock");
  }
  if (!given.has("DestinationCidrBlock")) {
    return ApiError("MissingParameter", "The request must contain the parameter DestinationCidrBlock");
  }
  const auto block = packet::parse_cidr(given.get("DestinationCidrBlock"));
  if (block) return packet::cidr_text(*block);
  return ApiError("InvalidParameterValue", "Value (" + given.get("DestinationCidrBlock").substr(0, 50) +
                                               ") for parameter destinationCidrBlock is invalid");
}

// Where the route that a request asks for leads to, checked to be of the table's network.
Reply<Route> read_target(const Call& call, model::VpcId vpc) {
  const Parameters& given = call.parameters;
  Route route;
  if (given.has("GatewayId")) {
    const auto gateway = TRY(find_record<model::InternetGateway>(call, given.get("GatewayId"))).value;
    if (gateway.vpc != vpc) {
      return ApiError("InvalidParameterValue",
                      "route table and gateway " + gateway.id.text() + " belong to different networks");
    }
    route.gateway = gateway.id;
    return route;
  }
  model::InterfaceDesired interface;
  if (given.has("NetworkInterfaceId")) {
    interface = TRY(find_record<model::InterfaceDesired>(call, given.get("NetworkInterfaceId"))).value;
  } else if (given.has("InstanceId")) {
    const auto instance = TRY(parse_id<model::InstanceId>(given.get("InstanceId"), "InstanceID"));
    for (auto& each : TRY(all_records<model::InterfaceDesired>(call))) {
      if (each.instance == instance && each.device_index == 0) interface = std::move(each);
    }
    if (!interface.id) {
      return ApiError("InvalidInstanceID.NotFound", "The instance ID '" + instance.text() + "' does not exist");
    }
    route.instance = instance;
  } else {
    return ApiError("UnsupportedOperation", "A route leads to a GatewayId, a NetworkInterfaceId or an InstanceId here");
  }
  const auto vpcs = TRY(vpcs_of_subnets(call));
  const auto found = vpcs.find(interface.subnet);
  if (found == vpcs.end() || found->second != vpc) {
    return ApiError("InvalidParameterValue",
                    "route table and interface " + interface.id.text() + " belong to different networks");
  }
  route.interface = interface.id;
  if (!route.instance) route.instance = interface.instance;
  return route;
}

ApiError no_route(const model::RouteTable& table, const std::string& destination) {
  return {"InvalidRoute.NotFound",
          "no route with destination-cidr-block " + destination + " in route table " + table.id.text()};
}

std::vector<Route>::iterator position(model::RouteTable& table, const std::string& destination) {
  return std::ranges::find(table.routes, destination, &Route::destination);
}

Reply<> check_not_local(const Call& call, const model::RouteTable& table, const std::string& destination) {
  const auto vpc = TRY(find_record<model::VpcDesired>(call, table.vpc.text())).value;
  for (const auto& block : blocks_of(vpc)) {
    if (!contains(block_of(block.cidr), block_of(destination))) continue;
    return ApiError("InvalidParameterValue", "The destination CIDR block " + destination +
                                                 " is equal to or more specific than one of this VPC's "
                                                 "CIDR blocks: that is the local route's");
  }
  return {};
}

}  // namespace

Reply<> create_route(Call& call, pugi::xml_node answer) {
  const std::string destination = TRY(read_destination(call.parameters));
  const auto change_it = [&](model::RouteTable& table) -> Reply<> {
    TRY(check_not_local(call, table, destination));
    Route route = TRY(read_target(call, table.vpc));
    route.destination = destination;
    const auto at = position(table, destination);
    if (at != table.routes.end()) {
      if (*at == route) return {};
      return ApiError("RouteAlreadyExists", "The route identified by " + destination + " already exists.");
    }
    if (table.routes.size() >= kMaxRoutes) {
      return ApiError("RouteLimitExceeded", "A route table has at most 50 routes");
    }
    table.routes.push_back(route);
    return {};
  };
  TRY(change_table(call, change_it));
  add_flag(answer, "return", true);
  return {};
}

Reply<> replace_route(Call& call, pugi::xml_node answer) {
  const std::string destination = TRY(read_destination(call.parameters));
  const auto change_it = [&](model::RouteTable& table) -> Reply<> {
    const auto at = position(table, destination);
    if (at == table.routes.end()) return no_route(table, destination);
    *at = TRY(read_target(call, table.vpc));
    at->destination = destination;
    return {};
  };
  TRY(change_table(call, change_it));
  add_flag(answer, "return", true);
  return {};
}

Reply<> delete_route(Call& call, pugi::xml_node answer) {
  const std::string destination = TRY(read_destination(call.parameters));
  TRY(change_table(call, [&](model::RouteTable& table) -> Reply<> {
    const auto at = position(table, destination);
    if (at == table.routes.end()) return no_route(table, destination);
    table.routes.erase(at);
    return {};
  }));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
