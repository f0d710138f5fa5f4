#include "ec2/networks/subnet_addresses.h"

#include <optional>
#include <set>

#include "ec2/networks/blocks.h"

namespace pileus::ec2 {
namespace {

using packet::Ipv4Address;

// Of a subnet, those that can be given.
struct Range {
  Ipv4Address first = 0;
  u32 count = 0;
};
Range range_of(const model::SubnetDesired& subnet) {
  const packet::Cidr block = block_of(subnet.cidr);
  return {block.address + kReservedFirst, size_of(block) - kReservedAddresses};
}

// One that is free and not in `chosen`, found by trying a few.
Reply<std::optional<Ipv4Address>> try_address(const Call& call, const model::SubnetId& subnet, const Range& range,
                                              const std::set<Ipv4Address>& chosen) {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    const Ipv4Address address = range.first + static_cast<u32>(model::random_id() % range.count);
    if (chosen.contains(address)) continue;
    if (TRY(call.store.get(model::subnet_address_key(subnet, packet::ipv4_text(address))))) continue;
    return std::optional(address);
  }
  return std::optional<Ipv4Address>();
}

Reply<std::set<Ipv4Address>> taken_addresses(const Call& call, const model::SubnetId& subnet) {
  const std::string prefix = model::subnet_addresses_prefix(subnet);
  state::Get get{state::KeyRange::prefix(prefix)};
  get.keys_only = true;
  std::set<Ipv4Address> taken;
  for (const state::KeyValue& entry : TRY(call.store.get(get)).entries) {
    if (const auto address = packet::parse_ipv4(entry.key.substr(prefix.size()))) taken.insert(*address);
  }
  return taken;
}

}  // namespace

Reply<std::vector<std::string>> choose_addresses(const Call& call, const model::SubnetDesired& subnet,
                                                 std::size_t count) {
  const Range range = range_of(subnet);
  std::vector<std::string> found;
  std::set<Ipv4Address> chosen;
  while (found.size() < count) {
    const std::optional<Ipv4Address> address = TRY(try_address(call, subnet.id, range, chosen));
    if (!address) break;
    chosen.insert(*address);
    found.push_back(packet::ipv4_text(*address));
  }
  if (found.size() == count) return found;
  // The subnet is rather full: all that are taken tell what is left.
  chosen.merge(TRY(taken_addresses(call, subnet.id)));
  const u64 random = model::random_id();
  for (u32 i = 0; i < range.count && found.size() < count; ++i) {
    const Ipv4Address address = range.first + static_cast<u32>((random + i) % range.count);
    if (chosen.insert(address).second) found.push_back(packet::ipv4_text(address));
  }
  if (found.size() == count) return found;
  return ApiError("InsufficientFreeAddressesInSubnet",
                  "There are not enough free addresses in subnet '" + subnet.id.text() + "'");
}

Reply<std::string> choose_address(const Call& call, const model::SubnetDesired& subnet, const std::string& text) {
  const std::optional<Ipv4Address> address = packet::parse_ipv4(text);
  if (!address) return ApiError("InvalidParameterValue", "invalid value for parameter address: " + text.substr(0, 40));
  const Range range = range_of(subnet);
  if (!block_of(subnet.cidr).contains(*address)) {
    return ApiError("InvalidParameterValue", "Address " + text + " does not fall within the subnet's address range");
  }
  if (*address < range.first || *address - range.first >= range.count) {
    return ApiError("InvalidParameterValue", "Address " + text + " is in the subnet's reserved address range");
  }
  const auto claim = TRY(call.store.get(model::subnet_address_key(subnet.id, packet::ipv4_text(*address))));
  if (!claim) return packet::ipv4_text(*address);
  return ApiError("InvalidIPAddress.InUse", "Address " + text + " is in use: by " + claim->value);
}

void claim_address(control::Change& change, model::SubnetId subnet, const std::string& address,
                   model::InterfaceId interface) {
  const std::string claim = model::subnet_address_key(subnet, address);
  change.expect(state::Compare::absent(claim));
  change.put(claim, interface.text());
}

}  // namespace pileus::ec2
