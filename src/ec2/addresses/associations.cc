// Which interface an elastic address leads to. The interface's record says so too, in the same transaction: hosts look there.
#include "ec2/addresses/handlers.h"
#include "ec2/addresses/objects.h"
#include "ec2/instances/objects.h"
#include "ec2/internal/records.h"

namespace pileus::ec2 {
namespace {

using Interface = control::Stored<model::InterfaceDesired>;

// The interface that a request wants an address to lead to.
Reply<Interface> find_target(const Call& call) {
  const Parameters& given = call.parameters;
  if (given.has("NetworkInterfaceId")) {
    return find_record<model::InterfaceDesired>(call, given.get("NetworkInterfaceId"));
  }
  if (!given.has("InstanceId")) {
    return ApiError("MissingParameter", "Either InstanceId or NetworkInterfaceId has to be given");
  }
  const InstanceEntry instance = TRY(find_instance(call, given.get("InstanceId")));
  using State = model::InstanceState;
  const bool ends = instance.observed.state == State::kTerminated || instance.observed.state == State::kShuttingDown;
  if (ends || !instance.interface.id) {
    return ApiError("InvalidInstanceID", "The instance '" + given.get("InstanceId") +
                                             "' is not in a valid state for this operation: it has ended");
  }
  return find_record<model::InterfaceDesired>(call, instance.interface.id.text());
}

void put(control::Change& change, Interface& interface) {
  change.update(model::desired_key(interface.value.id), interface.value, interface.revision);
}
void put(control::Change& change, Address& address) {
  change.update(model::desired_key(address.value.id), address.value, address.revision);
}

void part(Address& address) {
  address.value.association = {};
  address.value.interface = {};
}
void part(Interface& interface) {
  interface.value.allocation = {};
  interface.value.association = {};
  interface.value.elastic_address.clear();
}

}  // namespace

Reply<> associate_address(Call& call, pugi::xml_node answer) {
  const bool may_move = TRY(call.parameters.boolean("AllowReassociation", true));
  model::AssociationId association;
  const auto attempt = [&]() -> Reply<bool> {
    Address address = TRY(find_address(call, call.parameters.get("AllocationId"), call.parameters.get("PublicIp")));
    Interface target = TRY(find_target(call));
    const std::string& wanted = call.parameters.get("PrivateIpAddress");
    if (!wanted.empty() && wanted != target.value.private_address) {
      return ApiError("UnsupportedOperation", "An address leads to the interface's primary private address here");
    }
    association = address.value.association;
    if (address.value.interface == target.value.id && association) return true;
    if (association && !may_move) {
      return ApiError(
          "Resource.AlreadyAssociated",
          "resource " + address.value.id.text() + " is already associated with associate-id " + association.text());
    }
    control::Change change;
    if (address.value.interface) {
      const std::string key = model::desired_key(address.value.interface);
      Interface before = TRY(control::read<model::InterfaceDesired>(call.store, key));
      if (before.exists()) {
        part(before);
        put(change, before);
      }
    }
    // The one that led here gives way.
    if (target.value.allocation) {
      const std::string key = model::desired_key(target.value.allocation);
      Address other = TRY(control::read<model::AddressDesired>(call.store, key));
      if (other.exists()) {
        part(other);
        put(change, other);
      }
    }
    association = model::AssociationId::random();
    address.value.association = association;
    address.value.interface = target.value.id;
    target.value.allocation = address.value.id;
    target.value.association = association;
    target.value.elastic_address = address.value.public_address;
    put(change, address);
    put(change, target);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  add(answer, "associationId", association.text());
  return {};
}

Reply<> disassociate_address(Call& call, pugi::xml_node answer) {
  const std::string& id = call.parameters.get("AssociationId");
  const auto attempt = [&]() -> Reply<bool> {
    Address address;
    if (id.empty()) {
      address = TRY(find_address(call, "", call.parameters.get("PublicIp")));
    } else {
      for (const auto& each : TRY(all_records<model::AddressDesired>(call))) {
        if (each.association.text() == id) address = TRY(find_address(call, each.id.text(), ""));
      }
    }
    if (!address.exists() || !address.value.association) {
      return ApiError("InvalidAssociationID.NotFound", "The association ID '" + id.substr(0, 60) + "' does not exist");
    }
    control::Change change;
    const std::string key = model::desired_key(address.value.interface);
    Interface interface = TRY(control::read<model::InterfaceDesired>(call.store, key));
    if (interface.exists()) {
      part(interface);
      put(change, interface);
    }
    part(address);
    put(change, address);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
