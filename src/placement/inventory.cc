#include "placement/inventory.h"

#include <algorithm>
#include <bit>

namespace pileus::placement {
namespace {

constexpr u32 kBitsPerWord = 64;

float reciprocal(u64 amount) { return amount == 0 ? 0.0F : 1.0F / static_cast<float>(amount); }

// Whether the names fit beside those that are known.
bool fits(const Interner& known, std::span<const std::string> names, u32 limit) {
  Interner all = known;
  return std::ranges::all_of(names, [&](const std::string& name) { return all.intern(name) < limit; });
}

u64 bits(Interner& interner, std::span<const std::string> names) {
  u64 mask = 0;
  for (const std::string& name : names) mask |= u64{1} << interner.intern(name);
  return mask;
}

void drop_one(std::unordered_map<u32, u32>& counts, u32 key) {
  const auto found = counts.find(key);
  CHECK(found != counts.end());
  if (--found->second == 0) counts.erase(found);
}

}  // namespace

HostIndex Inventory::add_slot(model::HostId id) {
  const auto host = static_cast<HostIndex>(ids_.size());
  ids_.push_back(id);
  statuses_.push_back(HostStatus::kGone);
  for (auto* column : {&free_vcpus_, &free_memory_mib_, &free_disk_gib_}) column->push_back(0);
  for (auto* column : {&per_vcpu_, &per_mib_}) column->push_back(0);
  for (auto* column : {&zones_, &racks_}) column->push_back(no_rack_);
  for (auto* column : {&engines_, &cpu_models_}) column->push_back(0);
  sellable_.emplace_back();
  images_.emplace_back();
  by_id_.emplace(id, host);
  return host;
}

Result<HostIndex> Inventory::put_host(const HostProperties& host) {
  if (!fits(engine_names_, host.engines, kMaxKinds) || !fits(cpu_model_names_, host.cpu_models, kMaxKinds)) {
    return Error(ErrorCode::kExhausted, "host " + host.id.text() +
                                            " names more than 64 engines or CPU models, all hosts "
                                            "together: correct what it reports");
  }
  const auto found = by_id_.find(host.id);
  const HostIndex index = found != by_id_.end() ? found->second : add_slot(host.id);
  const model::Resources before = sellable_[index];
  free_vcpus_[index] += i64{host.sellable.vcpus} - i64{before.vcpus};
  free_memory_mib_[index] += static_cast<i64>(host.sellable.memory_mib) - static_cast<i64>(before.memory_mib);
  free_disk_gib_[index] += static_cast<i64>(host.sellable.disk_gib) - static_cast<i64>(before.disk_gib);
  sellable_[index] = host.sellable;
  per_vcpu_[index] = reciprocal(host.sellable.vcpus);
  per_mib_[index] = reciprocal(host.sellable.memory_mib);
  statuses_[index] = host.status;
  move_domain(index, labels_.intern(host.zone), labels_.intern(host.rack));
  engines_[index] = bits(engine_names_, host.engines);
  cpu_models_[index] = bits(cpu_model_names_, host.cpu_models);
  set_images(index, host.images);
  return index;
}

// A host that gets other labels takes its instances along to the new failure domain.
void Inventory::move_domain(HostIndex host, u32 zone, u32 rack) {
  if (zones_[host] == zone && racks_[host] == rack) return;
  std::vector<Claim> grouped;
  for (const auto& [id, claim] : instances_) {
    if ((claim.host == host || claim.also == host) && claim.group) grouped.push_back(claim);
  }
  for (const Claim& claim : grouped) account(claim, false);
  zones_[host] = zone;
  racks_[host] = rack;
  for (const Claim& claim : grouped) account(claim, true);
}

void Inventory::erase_host(model::HostId id) {
  const HostIndex host = find_host(id);
  if (host != kNoHost) statuses_[host] = HostStatus::kGone;
}

void Inventory::account(const Claim& claim, bool comes) {
  account_on(claim.host, claim, comes);
  if (claim.also != kNoHost) account_on(claim.also, claim, comes);
}

void Inventory::account_on(HostIndex host, const Claim& claim, bool comes) {
  const i64 sign = comes ? -1 : 1;
  free_vcpus_[host] += sign * i64{claim.takes.vcpus};
  free_memory_mib_[host] += sign * static_cast<i64>(claim.takes.memory_mib);
  free_disk_gib_[host] += sign * static_cast<i64>(claim.takes.disk_gib);
  if (!claim.group) return;
  GroupUse& use = groups_[claim.group];
  auto& partitions_here = use.domains[domain(host)];
  if (comes) {
    use.hosts[host]++;
    use.partitions[claim.partition]++;
    partitions_here[claim.partition]++;
    return;
  }
  drop_one(use.hosts, host);
  drop_one(use.partitions, claim.partition);
  drop_one(partitions_here, claim.partition);
  if (partitions_here.empty()) use.domains.erase(domain(host));
  if (use.hosts.empty()) groups_.erase(claim.group);
}

void Inventory::put_instance(model::InstanceId id, const Claim& claim) {
  CHECK(claim.host < host_slots() && (claim.also == kNoHost || claim.also < host_slots()));
  erase_instance(id);
  instances_.emplace(id, claim);
  account(claim, true);
}

void Inventory::erase_instance(model::InstanceId id) {
  const auto found = instances_.find(id);
  if (found == instances_.end()) return;
  account(found->second, false);
  instances_.erase(found);
}

void Inventory::set_images(HostIndex host, std::span<const model::ImageId> images) {
  const u64 bit = u64{1} << (host % kBitsPerWord);
  const std::size_t word = host / kBitsPerWord;
  for (const model::ImageId image : images_[host]) image_hosts_[image][word] &= ~bit;
  images_[host].assign(images.begin(), images.end());
  for (const model::ImageId image : images) {
    std::vector<u64>& hosts = image_hosts_[image];
    if (hosts.size() <= word) hosts.resize(word + 1);
    hosts[word] |= bit;
  }
}

HostIndex Inventory::find_host(model::HostId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNoHost : found->second;
}

const Claim* Inventory::find_instance(model::InstanceId id) const {
  const auto found = instances_.find(id);
  return found == instances_.end() ? nullptr : &found->second;
}

const GroupUse* Inventory::find_group(model::PlacementGroupId id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second;
}

const std::vector<u64>* Inventory::hosts_with(model::ImageId image) const {
  const auto found = image_hosts_.find(image);
  return found == image_hosts_.end() ? nullptr : &found->second;
}

bool Inventory::is_somewhere(model::ImageId image) const {
  const std::vector<u64>* hosts = hosts_with(image);
  if (hosts == nullptr) return false;
  for (std::size_t word = 0; word < hosts->size(); ++word) {
    for (u64 rest = (*hosts)[word]; rest != 0; rest &= rest - 1) {
      if (statuses_[word * kBitsPerWord + static_cast<std::size_t>(std::countr_zero(rest))] != HostStatus::kGone)
        return true;
    }
  }
  return false;
}

bool Inventory::has_hosts() const {
  return std::ranges::any_of(statuses_, [](HostStatus status) { return status != HostStatus::kGone; });
}

}  // namespace pileus::placement
