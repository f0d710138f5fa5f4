#include "control/view.h"

#include "base/log.h"

namespace pileus::control {
namespace {

// From hosts to instances: "v1/hosts/" up to the end of "v1/instances/". What lies between is skipped.
state::KeyRange watched() {
  return {std::string(model::kHostsPrefix), state::KeyRange::prefix(std::string(model::kInstancesPrefix)).end};
}

// Keeps the newer one: what we committed ourselves may be told again by the watch, later and older.
template <typename Record>
Result<> keep(Stored<Record>& stored, const state::KeyValue& entry, bool deleted) {
  if (entry.mod_revision < stored.revision) return {};
  if (deleted) {
    stored = {};
    return {};
  }
  stored = TRY(decode_entry<Record>(entry));
  return {};
}

}  // namespace

Result<> View::load() {
  instances_.clear();
  hosts_.clear();
  inventory_ = placement::Inventory();
  const state::Snapshot all = TRY(store_.get(state::Get{watched()}));
  // In the order of keys hosts come before instances, whose claims name them.
  for (const state::KeyValue& entry : all.entries) TRY(apply(entry, false));
  watch_ = TRY(store_.watch(watched(), all.revision + 1));
  revision_ = all.revision;
  return {};
}

Result<> View::sync() {
  if (!watch_) return load();
  while (true) {
    auto update = watch_->next(std::chrono::milliseconds(0));
    if (!update.ok()) {
      watch_.reset();
      return std::move(update).error();
    }
    for (const state::Event& event : update->events) {
      auto applied = apply(event.entry, event.kind == state::Event::Kind::kDelete);
      if (applied.ok()) continue;
      watch_.reset();
      return std::move(applied).error();
    }
    if (update->events.empty()) return {};
    revision_ = update->revision;
  }
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
  return {};
}

Result<> View::apply_instance(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted) {
  const model::InstanceId id = TRY(model::InstanceId::parse(parts.id));
  InstanceView& view = instances_[id];
  if (parts.part == "desired") TRY(keep(view.desired, entry, deleted));
  if (parts.part == "observed") TRY(keep(view.observed, entry, deleted));
  if (parts.part == "placed") {
    TRY(keep(view.placed, entry, deleted));
    refresh_instance(id);
  }
  if (!view.desired.exists() && !view.observed.exists() && !view.placed.exists()) instances_.erase(id);
  return {};
}

Result<> View::apply_host(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted) {
  const model::HostId id = TRY(model::HostId::parse(parts.id));
  HostView& view = hosts_[id];
  if (parts.part == "claims") return keep(view.claims, entry, deleted);
  if (parts.part == "alive") view.alive = deleted ? 0 : entry.mod_revision;
  if (parts.part == "desired") TRY(keep(view.desired, entry, deleted));
  if (parts.part == "observed") TRY(keep(view.observed, entry, deleted));
  if (parts.part == "health") TRY(keep(view.health, entry, deleted));
  return refresh_host(id);
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
                : ready                                         ? placement::HostStatus::kOpen
                                                                : placement::HostStatus::kUnreachable;
  auto put = inventory_.put_host(host);
  // One host that reports nonsense must not stop placement on all others: it gets nothing.
  if (!put.ok()) {
    log::warn("{}", put.error().message());
    inventory_.erase_host(id);
  }
  return {};
}

void View::refresh_instance(model::InstanceId id) {
  const Stored<model::InstancePlaced>& placed = instances_[id].placed;
  if (!placed.exists()) return inventory_.erase_instance(id);
  placement::HostIndex host = inventory_.find_host(placed.value.host);
  if (host == placement::kNoHost) {
    // Its records are gone, but its instances still hold what they hold.
    placement::HostProperties unknown;
    unknown.id = placed.value.host;
    unknown.status = placement::HostStatus::kGone;
    const auto put = inventory_.put_host(unknown);
    CHECK(put.ok());
    host = *put;
  }
  inventory_.put_instance(id, {host, placed.value.takes, placed.value.group, placed.value.partition});
}

}  // namespace pileus::control
