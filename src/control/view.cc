#include "control/view.h"

#include "base/log.h"

namespace pileus::control {
namespace {

// First hosts, images, instances and interfaces, which lie beside each other as keys; then the others.
std::vector<state::KeyRange> watched_ranges() {
  const auto folder = [](model::IdKind kind) { return state::KeyRange::prefix(std::string(model::kind_prefix(kind))); };
  return {{std::string(model::kHostsPrefix), folder(model::IdKind::kInterface).end},
          folder(model::IdKind::kSnapshot),
          folder(model::IdKind::kTransfer),
          folder(model::IdKind::kVolume)};
}

using ByHost = std::map<model::HostId, std::set<model::InstanceId>>;

const std::set<model::InstanceId>& of_host(const ByHost& index, model::HostId host) {
  static const std::set<model::InstanceId> kNone;
  const auto found = index.find(host);
  return found == index.end() ? kNone : found->second;
}

void drop(ByHost& index, model::HostId host, model::InstanceId id) {
  const auto found = index.find(host);
  found->second.erase(id);
  if (found->second.empty()) index.erase(found);
}

}  // namespace

model::Power power_on_host(const InstanceView& instance) {
  const model::Power wished = instance.desired.value.power;
  return wished == model::Power::kRunning && instance.placed.value.migration.down ? model::Power::kStopped : wished;
}

Result<> View::load() {
  const std::vector<state::KeyRange> ranges = watched_ranges();
  const state::Snapshot first = TRY(store_.get(state::Get{ranges.front()}));
  std::vector<Watched> watched;
  for (const state::KeyRange& range : ranges) {
    auto watch = TRY(store_.watch(range, first.revision + 1));
    watched.push_back({range, std::move(watch)});
  }
  // What has gone has changed too.
  for (Changes* changes : notes_) {
    for (const auto& [id, instance] : instances_) changes->instances.insert(id);
    for (const auto& [id, host] : hosts_) changes->hosts.insert(id);
    for (const auto& [id, volume] : disks_.volumes()) changes->volumes.insert(id);
    for (const auto& [id, snapshot] : disks_.snapshots()) changes->snapshots.insert(id);
  }
  instances_.clear();
  hosts_.clear();
  layers_ = {};
  interfaces_.clear();
  accounts_.clear();
  placed_.clear();
  arriving_.clear();
  disks_.clear();
  inventory_ = placement::Inventory();
  // In the order of keys hosts come before instances, whose claims name them.
  for (const state::KeyValue& entry : first.entries) TRY(apply(entry, false));
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    const state::Snapshot more = TRY(store_.get(state::Get{ranges[i]}, first.revision));
    for (const state::KeyValue& entry : more.entries) TRY(apply(entry, false));
  }
  watched_ = std::move(watched);
  revision_ = first.revision;
  return {};
}

const InstanceView* View::find(model::InstanceId id) const {
  const auto found = instances_.find(id);
  return found == instances_.end() ? nullptr : &found->second;
}

const HostView* View::find(model::HostId id) const {
  const auto found = hosts_.find(id);
  return found == hosts_.end() ? nullptr : &found->second;
}

const model::InterfaceDesired* View::find(model::InterfaceId id) const {
  const auto found = interfaces_.find(id);
  return found == interfaces_.end() ? nullptr : &found->second.value;
}

const std::set<model::InstanceId>& View::of_account(const model::AccountId& account) const {
  static const std::set<model::InstanceId> kNone;
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? kNone : found->second.instances;
}

const std::set<model::InstanceId>& View::on_host(model::HostId host) const { return of_host(placed_, host); }
const std::set<model::InstanceId>& View::arriving(model::HostId host) const { return of_host(arriving_, host); }

Usage View::used_by(const model::AccountId& account) const {
  const auto found = accounts_.find(account);
  Usage used = found == accounts_.end() ? Usage() : found->second.used;
  const DiskUsage disks = disks_.used_by(account);
  used.volume_gib = disks.volume_gib;
  used.snapshots = disks.snapshots;
  return used;
}

void View::add_to_index(model::InstanceId id, const InstanceView& view) {
  if (view.placed.exists()) placed_[view.placed.value.host].insert(id);
  if (view.placed.value.migration.to) arriving_[view.placed.value.migration.to].insert(id);
  if (!view.desired.exists()) return;
  OfAccount& account = accounts_[view.desired.value.account];
  account.instances.insert(id);
  if (view.observed.value.state == model::InstanceState::kTerminated) return;
  ++account.used.instances;
  account.used.vcpus += view.desired.value.takes.vcpus;
}

// As it was added: `view` must not have changed since.
void View::remove_from_index(model::InstanceId id, const InstanceView& view) {
  if (view.placed.exists()) drop(placed_, view.placed.value.host, id);
  if (view.placed.value.migration.to) drop(arriving_, view.placed.value.migration.to, id);
  if (!view.desired.exists()) return;
  const auto account = accounts_.find(view.desired.value.account);
  account->second.instances.erase(id);
  if (view.observed.value.state != model::InstanceState::kTerminated) {
    --account->second.used.instances;
    account->second.used.vcpus -= view.desired.value.takes.vcpus;
  }
  if (account->second.instances.empty()) accounts_.erase(account);
}

// Everything that the watch has to tell; the revision up to which that was.
Result<state::Revision> View::follow(state::Watch& watch, state::Revision revision) {
  while (true) {
    const state::WatchUpdate update = TRY(watch.next(std::chrono::milliseconds(0)));
    for (const state::Event& event : update.events) {
      TRY(apply(event.entry, event.kind == state::Event::Kind::kDelete));
    }
    if (update.events.empty()) return revision;
    revision = update.revision;
  }
}

Result<> View::sync() {
  if (watched_.empty()) return load();
  for (Watched& each : watched_) {
    const Result<state::Revision> followed = follow(*each.watch, revision_);
    if (!followed) {
      watched_.clear();
      return followed.error();
    }
    if (&each == &watched_.front()) revision_ = *followed;
  }
  return {};
}

Result<> View::apply_own(const std::string& key, const std::string& value, state::Revision revision) {
  state::KeyValue entry;
  entry.key = key;
  entry.value = value;
  entry.mod_revision = revision;
  return apply(entry, false);
}

Result<> View::apply(const state::KeyValue& entry, bool deleted) {
  const model::KeyParts instance = model::split_key(model::IdKind::kInstance, entry.key);
  if (!instance.id.empty()) return apply_instance(instance, entry, deleted);
  const model::KeyParts host = model::split_key(model::IdKind::kHost, entry.key);
  if (!host.id.empty()) return apply_host(host, entry, deleted);
  const model::KeyParts interface = model::split_key(model::IdKind::kInterface, entry.key);
  if (!interface.id.empty()) return apply_interface(interface, entry, deleted);
  const DiskView::Changed changed = TRY(disks_.apply(entry, deleted));
  for (Changes* changes : notes_) {
    if (changed.volume) changes->volumes.insert(changed.volume);
    if (changed.snapshot) changes->snapshots.insert(changed.snapshot);
  }
  return {};
}

Result<> View::apply_interface(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted) {
  if (parts.part != "desired") return {};
  const model::InterfaceId id = TRY(model::InterfaceId::parse(parts.id));
  Stored<model::InterfaceDesired>& interface = interfaces_[id];
  TRY(keep_newer(interface, entry, deleted));
  if (!interface.exists()) interfaces_.erase(id);
  return {};
}

Result<> View::apply_part(InstanceView& view, std::string_view part, const state::KeyValue& entry, bool deleted) {
  if (part == "desired") return keep_newer(view.desired, entry, deleted);
  if (part == "observed") return keep_newer(view.observed, entry, deleted);
  return keep_newer(view.placed, entry, deleted);
}

Result<> View::apply_instance(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted) {
  if (parts.part != "desired" && parts.part != "observed" && parts.part != "placed") return {};
  const model::InstanceId id = TRY(model::InstanceId::parse(parts.id));
  InstanceView& view = instances_[id];
  remove_from_index(id, view);
  Result<> applied = apply_part(view, parts.part, entry, deleted);
  add_to_index(id, view);
  if (parts.part == "placed") refresh_instance(id);
  if (!view.desired.exists() && !view.observed.exists() && !view.placed.exists()) instances_.erase(id);
  for (Changes* changes : notes_) changes->instances.insert(id);
  return applied;
}

Result<> View::apply_host(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted) {
  const model::HostId id = TRY(model::HostId::parse(parts.id));
  HostView& view = hosts_[id];
  for (Changes* changes : notes_) changes->hosts.insert(id);
  if (parts.part == "claims") return keep_newer(view.claims, entry, deleted);
  if (parts.part == "layers") return apply_layers(view, id, entry, deleted);
  if (parts.part == "alive") view.alive = deleted ? 0 : entry.mod_revision;
  if (parts.part == "desired") TRY(keep_newer(view.desired, entry, deleted));
  if (parts.part == "observed") TRY(keep_newer(view.observed, entry, deleted));
  if (parts.part == "health") TRY(keep_newer(view.health, entry, deleted));
  return refresh_host(id);
}

Result<> View::apply_layers(HostView& view, model::HostId id, const state::KeyValue& entry, bool deleted) {
  const model::Layers before = view.layers.value.layers;
  TRY(keep_newer(view.layers, entry, deleted));
  layers_.change(id, before, view.layers.value.layers);
  return {};
}

Result<> View::refresh_host(model::HostId id) {
  const HostView& view = hosts_[id];
  const model::HostDesired& desired = view.desired.value;
  const model::HostObserved& observed = view.observed.value;
  placement::HostProperties host;
  host.id = id;
  host.sellable = model::sellable(desired, observed);
  host.zone = desired.zone;
  host.rack = desired.rack;
  host.engines = observed.engines;
  host.cpu_models = observed.cpu_models;
  host.images = observed.images;
  const bool known = view.desired.exists() && view.observed.exists() && desired.mode != model::HostMode::kRetired;
  const bool ready = view.health.exists() && view.health.value.state == model::HostState::kReady;
  host.status = !known                                          ? placement::HostStatus::kGone
                : desired.mode == model::HostMode::kMaintenance ? placement::HostStatus::kMaintenance
                : !ready                                        ? placement::HostStatus::kUnreachable
                : observed.disk_full                            ? placement::HostStatus::kFull
                                                                : placement::HostStatus::kOpen;
  auto put = inventory_.put_host(host);
  // One host that reports nonsense must not stop placement on all others: it gets nothing.
  if (!put.ok()) {
    log::warn("{}", put.error().message());
    inventory_.erase_host(id);
  }
  return {};
}

// Its records may be gone, but its instances still hold what they hold.
placement::HostIndex View::index_of(model::HostId id) {
  const placement::HostIndex host = inventory_.find_host(id);
  if (host != placement::kNoHost) return host;
  placement::HostProperties unknown;
  unknown.id = id;
  unknown.status = placement::HostStatus::kGone;
  const auto put = inventory_.put_host(unknown);
  CHECK(put.ok());
  return *put;
}

void View::refresh_instance(model::InstanceId id) {
  const InstanceView* instance = find(id);
  if (instance == nullptr || !instance->placed.exists()) return inventory_.erase_instance(id);
  const model::InstancePlaced& placed = instance->placed.value;
  placement::Claim claim{index_of(placed.host), placed.takes, placed.group, placed.partition};
  if (placed.migration.to) claim.also = index_of(placed.migration.to);
  inventory_.put_instance(id, claim);
}

}  // namespace pileus::control
