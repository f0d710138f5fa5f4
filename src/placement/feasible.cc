#include "placement/feasible.h"

namespace pileus::placement {

Query compile(const Inventory& inventory, const Request& request) {
  Query query;
  query.vcpus = i64{request.takes.vcpus};
  query.memory_mib = static_cast<i64>(request.takes.memory_mib);
  query.disk_gib = static_cast<i64>(request.takes.disk_gib);
  if (!request.zone.empty()) query.zone = inventory.labels().find(request.zone);
  const auto bit_of = [](const Interner& names, const std::string& name, u64& bit, bool& impossible) {
    if (name.empty()) return;
    const u32 number = names.find(name);
    impossible = number == Interner::kUnknown;
    if (!impossible) bit = u64{1} << number;
  };
  bit_of(inventory.engine_names(), request.engine, query.engine, query.impossible_engine);
  bit_of(inventory.cpu_model_names(), request.cpu_model, query.cpu_model, query.impossible_cpu_model);
  query.host = request.host;
  query.not_host = request.not_host;
  query.image_hosts = inventory.hosts_with(request.image);
  query.needs_image = request.image_reach == ImageReach::kLocal;
  if (request.layer_hosts) {
    query.layer_hosts.emplace(inventory.host_slots());
    for (const model::HostId id : *request.layer_hosts) {
      const HostIndex host = inventory.find_host(id);
      if (host != kNoHost) (*query.layer_hosts)[host] = true;
    }
  }
  query.group = request.group;
  if (query.group) query.use = inventory.find_group(query.group->id);
  if (query.use != nullptr && query.group->strategy == model::GroupStrategy::kCluster) {
    const HostIndex any = query.use->hosts.begin()->first;
    query.bound = true;
    query.bound_zone = inventory.zone(any);
    query.bound_rack = inventory.rack(any);
  }
  return query;
}

Refusal check_group(const Inventory& inventory, HostIndex host, const Query& query) {
  switch (query.group->strategy) {
    case model::GroupStrategy::kCluster: {
      const bool near = inventory.zone(host) == query.bound_zone && inventory.rack(host) == query.bound_rack;
      return near ? Refusal::kNone : Refusal::kGroup;
    }
    case model::GroupStrategy::kSpread: {
      const bool taken = query.group->spread_level == model::SpreadLevel::kHost
                             ? query.use->hosts.contains(host)
                             : query.use->domains.contains(inventory.domain(host));
      return taken ? Refusal::kGroup : Refusal::kNone;
    }
    case model::GroupStrategy::kPartition: {
      const auto here = query.use->domains.find(inventory.domain(host));
      if (here == query.use->domains.end()) return Refusal::kNone;
      const bool alone = here->second.size() == 1 && here->second.contains(query.group->partition);
      return alone ? Refusal::kNone : Refusal::kGroup;
    }
  }
  return Refusal::kGroup;
}

}  // namespace pileus::placement
