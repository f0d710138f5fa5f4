#include "control/network_api.h"

#include <functional>
#include <set>

#include "control/network_numbers.h"

namespace pileus::control {
namespace {

constexpr std::chrono::milliseconds kFresh{300};

template <typename Record, typename Take>
Result<> read_all(state::Store& store, model::IdKind kind, std::string_view part, Take take) {
  const state::Snapshot all =
      TRY(store.get(state::Get{state::KeyRange::prefix(std::string(model::kind_prefix(kind)))}));
  for (const state::KeyValue& entry : all.entries) {
    if (model::split_key(kind, entry.key).part != part) continue;
    Stored<Record> stored = TRY(decode_entry<Record>(entry));
    take(std::move(stored.value));
  }
  return {};
}

void for_each_on(const View& view, model::HostId host, const std::function<void(model::InstanceId)>& take) {
  for (const model::InstanceId id : view.on_host(host)) {
    const auto found = view.instances().find(id);
    if (found == view.instances().end()) continue;
    if (found->second.observed.value.state != model::InstanceState::kTerminated) take(id);
  }
}

}  // namespace

Result<std::string> NetworkApi::answer(model::HostId host) {
  const Places places = TRY(places_of(host));
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (read_at_ == std::chrono::steady_clock::time_point() || now - read_at_ >= kFresh) {
    TRY(refresh());
    read_at_ = now;
  }
  bool whole = true;
  HostNetwork network = TRY(network_of(places, whole));
  if (!whole) {  // an instance that is younger than what was read
    TRY(refresh());
    network = TRY(network_of(places, whole));
  }
  return encode(network);
}

Result<NetworkApi::Places> NetworkApi::places_of(model::HostId host) {
  Places places;
  TRY(view_->read([&](View& view) {
    for_each_on(view, host, [&](model::InstanceId id) { places.here.push_back(id); });
    for (const auto& [other, seen] : view.hosts()) {
      if (other == host) places.zone = seen.desired.value.zone;
      const std::string& tunnel = seen.observed.value.tunnel;
      if (other == host || tunnel.empty()) continue;
      for_each_on(view, other, [&](model::InstanceId id) { places.elsewhere.emplace_back(id, tunnel); });
    }
  }));
  return places;
}

Result<> NetworkApi::refresh() {
  using enum model::IdKind;
  Records fresh;
  fresh.numbers = std::move(records_.numbers);  // they never change
  TRY(read_all<model::InterfaceDesired>(store_, kInterface, "desired", [&](model::InterfaceDesired each) {
    fresh.interfaces[each.instance].push_back(std::move(each));
  }));
  TRY(read_all<model::SubnetDesired>(store_, kSubnet, "desired",
                                     [&](model::SubnetDesired each) { fresh.subnets[each.id] = std::move(each); }));
  TRY(read_all<model::VpcDesired>(store_, kVpc, "desired",
                                  [&](model::VpcDesired each) { fresh.vpcs[each.id] = std::move(each); }));
  TRY(read_all<model::SecurityGroup>(store_, kSecurityGroup, "desired",
                                     [&](model::SecurityGroup each) { fresh.groups[each.id] = std::move(each); }));
  records_ = std::move(fresh);
  return {};
}

Result<u32> NetworkApi::number_of(model::VpcId vpc) {
  const auto known = records_.numbers.find(vpc);
  if (known != records_.numbers.end()) return known->second;
  return records_.numbers[vpc] = TRY(network_number(store_, vpc));
}

Result<HostNetwork> NetworkApi::network_of(const Places& places, bool& whole) {
  HostNetwork network;
  network.zone = places.zone;
  for (const model::InstanceId id : places.here) {
    const auto interfaces = records_.interfaces.find(id);
    if (interfaces == records_.interfaces.end()) {
      whole = false;
      continue;
    }
    for (const model::InterfaceDesired& each : interfaces->second) {
      const auto subnet = records_.subnets.find(each.subnet);
      const auto vpc = subnet == records_.subnets.end() ? records_.vpcs.end() : records_.vpcs.find(subnet->second.vpc);
      if (vpc == records_.vpcs.end()) {
        whole = false;
        continue;
      }
      const u32 number = TRY(number_of(vpc->first));
      if (!network.networks.contains(number)) {
        std::vector<std::string>& blocks = network.networks[number];
        blocks.push_back(vpc->second.cidr);
        for (const model::VpcBlock& block : vpc->second.blocks) blocks.push_back(block.cidr);
      }
      network.ports.push_back({.instance = id,
                               .interface = each.id,
                               .network = number,
                               .mac = each.mac,
                               .address = each.private_address,
                               .subnet = subnet->second.cidr,
                               .groups = each.security_groups,
                               .check_source = each.source_dest_check,
                               .more_addresses = each.more_addresses});
    }
  }
  add_groups(network);
  add_remotes(network, places);
  return network;
}

// The ports' groups, and those that their rules name with who is in them.
void NetworkApi::add_groups(HostNetwork& network) const {
  std::set<model::SecurityGroupId> own;
  for (const NetworkPort& port : network.ports) own.insert(port.groups.begin(), port.groups.end());
  std::set<model::SecurityGroupId> peers;
  for (const model::SecurityGroupId id : own) {
    const auto group = records_.groups.find(id);
    if (group == records_.groups.end()) continue;
    for (const model::SecurityGroupRule& rule : group->second.rules) {
      if (rule.peer) peers.insert(rule.peer);
    }
  }
  std::map<model::SecurityGroupId, std::vector<std::string>> members;
  for (const auto& [instance, interfaces] : records_.interfaces) {
    for (const model::InterfaceDesired& each : interfaces) {
      for (const model::SecurityGroupId id : each.security_groups) {
        if (!peers.contains(id)) continue;
        members[id].push_back(each.private_address);
        members[id].insert(members[id].end(), each.more_addresses.begin(), each.more_addresses.end());
      }
    }
  }
  own.insert(peers.begin(), peers.end());
  for (const model::SecurityGroupId id : own) {
    const auto group = records_.groups.find(id);
    if (group != records_.groups.end()) network.groups.push_back({group->second, members[id]});
  }
}

void NetworkApi::add_remotes(HostNetwork& network, const Places& places) const {
  std::map<model::VpcId, u32> wanted;
  for (const auto& [vpc, number] : records_.numbers) {
    if (network.networks.contains(number)) wanted[vpc] = number;
  }
  for (const auto& [id, tunnel] : places.elsewhere) {
    const auto interfaces = records_.interfaces.find(id);
    if (interfaces == records_.interfaces.end()) continue;
    for (const model::InterfaceDesired& each : interfaces->second) {
      const auto subnet = records_.subnets.find(each.subnet);
      const auto number = subnet == records_.subnets.end() ? wanted.end() : wanted.find(subnet->second.vpc);
      if (number == wanted.end()) continue;
      std::vector<std::string> addresses = each.more_addresses;
      addresses.push_back(each.private_address);
      for (const std::string& address : addresses) {
        network.remotes.push_back({.network = number->second, .mac = each.mac, .address = address, .host = tunnel});
      }
    }
  }
}

}  // namespace pileus::control
