// Further private addresses of network interfaces.
#include "ec2/interfaces/handlers.h"
#include "ec2/internal/records.h"
#include "ec2/networks/objects.h"
#include "ec2/networks/subnet_addresses.h"
#include "ec2/xml.h"

namespace pileus::ec2 {
namespace {

using Interface = model::InterfaceDesired;
constexpr std::size_t kMostAddresses = 50;

}  // namespace

Reply<> assign_private_ip_addresses(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  if (given.has("Ipv4PrefixCount") || !given.list("Ipv4Prefix").empty()) {
    return ApiError("UnsupportedOperation", "Interfaces get single addresses here, no prefixes");
  }
  const std::vector<std::string> named = given.list("PrivateIpAddress");
  const i64 count = TRY(given.integer("SecondaryPrivateIpAddressCount", 0));
  if (named.empty() == (count < 1)) {
    return ApiError("InvalidParameterCombination",
                    "Either PrivateIpAddress or SecondaryPrivateIpAddressCount has to be given");
  }
  std::vector<std::string> assigned;
  const auto attempt = [&]() -> Reply<bool> {
    auto interface = TRY(find_record<Interface>(call, given.get("NetworkInterfaceId")));
    const auto key = model::desired_key(interface.value.subnet);
    const model::SubnetDesired subnet = TRY(control::read<model::SubnetDesired>(call.store, key)).value;
    if (interface.value.more_addresses.size() + 1 + std::max(named.size(), static_cast<std::size_t>(count)) >
        kMostAddresses) {
      return ApiError("PrivateIpAddressLimitExceeded", "An interface has at most 50 private addresses");
    }
    assigned.clear();
    for (const std::string& text : named) assigned.push_back(TRY(choose_address(call, subnet, text)));
    if (named.empty()) assigned = TRY(choose_addresses(call, subnet, static_cast<std::size_t>(count)));
    control::Change change;
    enter_subnet(change, subnet.id);
    for (const std::string& address : assigned) {
      claim_address(change, subnet.id, address, interface.value.id);
      interface.value.more_addresses.push_back(address);
    }
    change.update(model::desired_key(interface.value.id), interface.value, interface.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  add(answer, "networkInterfaceId", given.get("NetworkInterfaceId"));
  pugi::xml_node set = add(answer, "assignedPrivateIpAddressesSet");
  for (const std::string& address : assigned) add(add_item(set), "privateIpAddress", address);
  add(answer, "assignedIpv4PrefixSet");
  return {};
}

Reply<> unassign_private_ip_addresses(Call& call, pugi::xml_node answer) {
  const std::vector<std::string> named = call.parameters.list("PrivateIpAddress");
  if (named.empty()) return ApiError("MissingParameter", "The request must contain the parameter PrivateIpAddress");
  const auto attempt = [&]() -> Reply<bool> {
    auto interface = TRY(find_record<Interface>(call, call.parameters.get("NetworkInterfaceId")));
    control::Change change;
    for (const std::string& address : named) {
      if (std::erase(interface.value.more_addresses, address) == 0) {
        return ApiError("InvalidParameterValue", "Some of the specified addresses are not assigned to interface " +
                                                     interface.value.id.text() + ": " + address.substr(0, 40));
      }
      change.erase(state::KeyRange::key(model::subnet_address_key(interface.value.subnet, address)));
    }
    change.update(model::desired_key(interface.value.id), interface.value, interface.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
