// Elastic addresses: of 127.78.0.0/16, so that the machine with the instance reaches them (docs/adr/0038). Each that is
// allocated is a key of its own, so no two accounts get the same.
#include "ec2/addresses/handlers.h"
#include "ec2/addresses/objects.h"
#include "ec2/filters.h"
#include "ec2/internal/records.h"
#include "ec2/pages.h"
#include "ec2/tags/objects.h"
#include "packet/bytes.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxAddresses = 100;
constexpr packet::Cidr kPool = {0x7F4E'0000, 16};  // 127.78.0.0/16

// An address with the interface that it leads to.
struct Entry {
  model::AddressDesired address;
  model::InterfaceDesired interface;  // its id is none: it leads nowhere
};
const model::Tags& tags_of(const Entry& entry) { return entry.address.tags; }

constexpr Filter<Entry> kFilters[] = {
    {"allocation-id", [](const Entry& each) { return Texts{each.address.id.text()}; }},
    {"association-id", [](const Entry& each) { return Texts{each.address.association.text()}; }},
    {"domain", [](const Entry&) { return Texts{"vpc"}; }},
    {"instance-id", [](const Entry& each) { return Texts{each.interface.instance.text()}; }},
    {"network-interface-id", [](const Entry& each) { return Texts{each.interface.id.text()}; }},
    {"network-interface-owner-id", [](const Entry& each) { return Texts{each.interface.account.text()}; }},
    {"private-ip-address", [](const Entry& each) { return Texts{each.interface.private_address}; }},
    {"public-ip", [](const Entry& each) { return Texts{each.address.public_address}; }},
};

ApiError no_address(const std::string& address) {
  return {"InvalidAddress.NotFound", "Address '" + address.substr(0, 40) + "' not found."};
}

Reply<std::string> free_address(const Call& call) {
  constexpr int kTries = 64;
  for (int i = 0; i < kTries; ++i) {
    // Neither the first nor the last.
    const auto offset = static_cast<u32>(1 + model::random_id() % ((1U << 16U) - 2));
    std::string address = packet::ipv4_text(kPool.address + offset);
    if (!TRY(call.store.get(model::public_address_key(address)))) return address;
  }
  return ApiError("InsufficientAddressCapacity", "There are not enough addresses left", 500);
}

Reply<std::vector<Entry>> chosen_addresses(const Call& call) {
  const std::vector<std::string> addresses = call.parameters.list("PublicIp");
  std::vector<model::AddressDesired> records;
  if (addresses.empty()) {
    records = TRY(chosen_records<model::AddressDesired>(call, "AllocationId"));
  } else {
    for (const std::string& id : call.parameters.list("AllocationId")) {
      records.push_back(TRY(find_address(call, id, "")).value);
    }
    for (const std::string& each : addresses) records.push_back(TRY(find_address(call, "", each)).value);
  }
  std::vector<Entry> entries;
  for (model::AddressDesired& each : records) {
    Entry entry{std::move(each), {}};
    if (entry.address.interface) {
      const std::string key = model::desired_key(entry.address.interface);
      entry.interface = TRY(control::read<model::InterfaceDesired>(call.store, key)).value;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

Reply<Address> find_address(const Call& call, const std::string& allocation, const std::string& public_address) {
  if (!allocation.empty()) return find_record<model::AddressDesired>(call, allocation);
  if (public_address.empty()) {
    return ApiError("MissingParameter", "Either AllocationId or PublicIp has to be given");
  }
  const auto owner = TRY(call.store.get(model::public_address_key(public_address)));
  if (!owner) return no_address(public_address);
  Reply<Address> found = find_record<model::AddressDesired>(call, owner->value);
  return found ? std::move(found) : no_address(public_address);
}

Reply<> allocate_address(Call& call, pugi::xml_node answer) {
  const std::string& domain = call.parameters.get("Domain");
  if (domain == "standard") return ApiError("InvalidParameterValue", "Addresses are of the domain 'vpc' here");
  if (call.parameters.has("PublicIpv4Pool") || call.parameters.has("CustomerOwnedIpv4Pool")) {
    return ApiError("UnsupportedOperation", "Addresses come from the cloud's own pool here");
  }
  model::AddressDesired address;
  address.id = model::AllocationId::random();
  address.account = call.account.id;
  address.tags = TRY(tags_for(call.parameters, "elastic-ip"));
  const std::string& wanted = call.parameters.get("Address");
  if (!wanted.empty()) {
    const auto parsed = packet::parse_ipv4(wanted);
    if (!parsed || !kPool.contains(*parsed)) {
      return ApiError("InvalidAddress.NotFound", "Address '" + wanted.substr(0, 40) + "' is not of 127.78.0.0/16");
    }
  }
  const auto attempt = [&]() -> Reply<bool> {
    if (TRY(all_records<model::AddressDesired>(call)).size() >= kMaxAddresses) {
      return ApiError("AddressLimitExceeded", "The maximum number of addresses has been reached: 100");
    }
    address.public_address = wanted.empty() ? TRY(free_address(call)) : wanted;
    const std::string claim = model::public_address_key(address.public_address);
    if (!wanted.empty() && TRY(call.store.get(claim))) {
      return ApiError("InvalidAddress.InUse", "Address '" + wanted + "' is allocated already");
    }
    control::Change change;
    change.expect(state::Compare::absent(claim));
    change.put(claim, address.id.text());
    change.update(model::desired_key(address.id), address, 0);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add(answer, "publicIp", address.public_address);
  add(answer, "domain", "vpc");
  add(answer, "allocationId", address.id.text());
  add(answer, "publicIpv4Pool", "amazon");
  add(answer, "networkBorderGroup", call.settings.region);
  return {};
}

Reply<> release_address(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const Address address =
        TRY(find_address(call, call.parameters.get("AllocationId"), call.parameters.get("PublicIp")));
    if (address.value.association) {
      return ApiError("InvalidIPAddress.InUse", "The address '" + address.value.public_address +
                                                    "' is in use: disassociate " + address.value.association.text());
    }
    control::Change change;
    change.expect(model::desired_key(address.value.id), address.revision);
    change.erase(state::KeyRange::key(model::desired_key(address.value.id)));
    change.erase(state::KeyRange::key(model::public_address_key(address.value.public_address)));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_addresses(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, tags_of));
  pugi::xml_node set = add(answer, "addressesSet");
  for (const Entry& each : TRY(chosen_addresses(call))) {
    if (!filters.pass(each)) continue;
    pugi::xml_node item = add_item(set);
    add(item, "publicIp", each.address.public_address);
    add(item, "allocationId", each.address.id.text());
    add(item, "domain", "vpc");
    add_if(item, "instanceId", each.interface.instance.text());
    add_if(item, "associationId", each.address.association.text());
    add_if(item, "networkInterfaceId", each.interface.id.text());
    add_if(item, "networkInterfaceOwnerId", each.interface.account.text());
    add_if(item, "privateIpAddress", each.interface.private_address);
    add(item, "publicIpv4Pool", "amazon");
    add(item, "networkBorderGroup", call.settings.region);
    add_tags(item, each.address.tags);
  }
  return {};
}

// There are no names of public addresses: nobody asks a name server of ours for them.
Reply<> describe_addresses_attribute(Call& call, pugi::xml_node answer) {
  const std::string& attribute = call.parameters.get("Attribute");
  if (!attribute.empty() && attribute != "domain-name") {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid");
  }
  const Page page = TRY(read_page(call.parameters, 1));
  pugi::xml_node set = add(answer, "addressSet");
  write_page(
      page, TRY(chosen_records<model::AddressDesired>(call, "AllocationId")), answer,
      [](const model::AddressDesired& each) { return each.id.text(); },
      [&](const model::AddressDesired& each) {
        pugi::xml_node item = add_item(set);
        add(item, "publicIp", each.public_address);
        add(item, "allocationId", each.id.text());
      });
  return {};
}

}  // namespace pileus::ec2
