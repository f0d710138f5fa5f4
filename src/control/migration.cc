#include "control/migration.h"

#include "control/disk_tasks.h"
#include "control/group_turn.h"
#include "placement/choice.h"

namespace pileus::control {
namespace {

constexpr int kTries = 8;

// What a migration was decided on.
struct Seen {
  InstanceView instance;
  std::vector<VolumeView> volumes;  // of the instance
  HostView target;
  model::Migration migration;  // goes nowhere when nothing fits
  std::string why_nothing;
};

Error cannot_move(const InstanceView& instance, const std::string& why) {
  return {ErrorCode::kInvalid, "The instance '" + instance.desired.value.id.text() + "' cannot be migrated: " + why};
}

Result<> check_power(const InstanceView& instance, bool may_go_down) {
  const model::InstanceState is = instance.observed.value.state;
  const model::Power wanted = instance.desired.value.power;
  const bool stopped = is == model::InstanceState::kStopped && wanted == model::Power::kStopped;
  const bool runs = is == model::InstanceState::kRunning && wanted == model::Power::kRunning;
  if (!instance.placed.exists() || (!stopped && !runs)) {
    return cannot_move(instance, "it is " + std::string(model::name(is)) + " and is to be " +
                                     std::string(model::name(wanted)) + ": wait until it is running or stopped");
  }
  if (stopped || may_go_down) return {};
  return cannot_move(instance,
                     "it is running, and no instance is moved while it runs: stop it first, or allow by Reboot=true "
                     "that it is shut down, moved and started again");
}

Result<> check_disks(const View& view, const InstanceView& instance) {
  for (const model::DiskWish& disk : instance.desired.value.disks) {
    const VolumeView* const volume = view.disks().find(disk.volume);
    if (volume != nullptr && volume->desired.exists()) continue;
    return cannot_move(instance, "its disk '" + disk.device + "' is of an earlier version of this cloud");
  }
  const HostView* const host = view.find(instance.placed.value.host);
  const bool keeps_them = host != nullptr && host->layers.exists() && host->layers.value.address.empty();
  if (!keeps_them) return {};
  return cannot_move(instance, "its host has no address at which others could fetch its disks");
}

placement::Request request_of(const InstanceView& instance, const MigrationWish& wish) {
  const model::InstanceDesired& desired = instance.desired.value;
  placement::Request request;
  request.takes = instance.placed.value.takes;
  request.zone = desired.wish.zone;
  request.engine = desired.wish.engine;
  request.cpu_model = desired.wish.cpu_model;
  request.image = desired.image;
  request.host = wish.to;
  request.not_host = instance.placed.value.host;
  return request;
}

// Its own claim does not stand in its way.
void decide(View& view, const placement::Request& request, const placement::Policy& policy, Seen& seen) {
  const model::InstanceId id = seen.instance.desired.value.id;
  view.set_aside(id);
  const placement::Decision decision = placement::decide(view.inventory(), request, policy);
  if (decision.placed()) {
    seen.migration.to = view.inventory().id(decision.chosen.host);
    seen.migration.why = placement::explain(view.inventory(), request, decision);
    seen.target = *view.find(seen.migration.to);
  } else {
    seen.why_nothing = placement::why_nothing(request, decision);
  }
  view.release(id);
}

Result<Seen> look(SharedView& shared, const placement::Policy& policy, const MigrationWish& wish,
                  const std::optional<GroupTurn>& group) {
  Seen seen;
  Result<> checked = Error(ErrorCode::kNotFound, "The instance '" + wish.id.text() + "' does not exist");
  TRY(shared.read([&](View& view) {
    const InstanceView* const instance = view.find(wish.id);
    if (instance == nullptr || !instance->desired.exists()) return;
    seen.instance = *instance;
    checked = {};
    if (instance->placed.value.migration.to) return;
    checked = check_power(*instance, wish.may_go_down);
    if (checked) checked = check_disks(view, *instance);
    if (!checked) return;
    for (const model::DiskWish& disk : instance->desired.value.disks) {
      seen.volumes.push_back(*view.disks().find(disk.volume));
    }
    placement::Request request = request_of(*instance, wish);
    if (group) request.group = group->request;
    decide(view, request, policy, seen);
  }));
  TRY(checked);
  return seen;
}

// Volumes that it was launched with live where it does: from now on they say so themselves.
void say_where_they_live(Change& change, const Seen& seen, model::Millis now) {
  for (const VolumeView& volume : seen.volumes) {
    const model::VolumeId id = volume.desired.value.id;
    change.expect(model::placed_key(id), volume.placed.revision);
    if (!volume.placed.exists()) {
      change.put(model::placed_key(id), model::encode(first_place(volume, seen.instance, now)));
    }
  }
}

Result<bool> commit(state::Store& store, const MigrationWish& wish, const Seen& seen,
                    const std::optional<GroupTurn>& group, model::Millis now) {
  const HostView& target = seen.target;
  const model::HostId to = seen.migration.to;
  model::InstancePlaced placed = seen.instance.placed.value;
  placed.migration = seen.migration;
  placed.migration.since = now;
  placed.migration.down = seen.instance.observed.value.state == model::InstanceState::kStopped;
  placed.migrations++;
  model::HostClaims claims = target.claims.value;
  claims.id = to;
  claims.claimed += placed.takes;
  claims.instances++;
  Change change;
  change.expect(model::desired_key(placed.id), seen.instance.desired.revision);
  change.expect(model::observed_key(placed.id), seen.instance.observed.revision);
  change.update(model::placed_key(placed.id), placed, seen.instance.placed.revision);
  change.expect(model::desired_key(to), target.desired.revision);
  change.expect(model::observed_key(to), target.observed.revision);
  change.expect(model::health_key(to), target.health.revision);
  change.update(model::claims_key(to), claims, target.claims.revision);
  say_where_they_live(change, seen, now);
  if (group) group->take(change);
  if (wish.beside) wish.beside(change, to);
  TRY(change.add_event(
      store, model::events_key(placed.id),
      {now, wish.by, "wanted migrated", "to " + to.text() + ", " + placement::choice_of(seen.migration.why)}));
  return TRY(change.commit(store)).has_value();
}

}  // namespace

Result<model::HostId> begin_migration(state::Store& store, const Clock& clock, SharedView& view,
                                      const placement::Policy& policy, const MigrationWish& wish) {
  for (int i = 0; i < kTries; ++i) {
    const auto placed = TRY(read<model::InstancePlaced>(store, model::placed_key(wish.id)));
    std::optional<GroupTurn> group;
    if (placed.value.group) group = TRY(read_group_turn(store, placed.value.group, placed.value.partition));
    const Seen seen = TRY(look(view, policy, wish, group));
    const model::HostId under_way = seen.instance.placed.value.migration.to;
    if (under_way && (!wish.to || wish.to == under_way)) return under_way;
    if (under_way) return cannot_move(seen.instance, "it is on its way to another host");
    if (wish.to && wish.to == seen.instance.placed.value.host) return cannot_move(seen.instance, "it is on that host");
    if (!seen.migration.to) return Error(ErrorCode::kExhausted, seen.why_nothing);
    if (TRY(commit(store, wish, seen, group, clock.now()))) return seen.migration.to;
  }
  return Error(ErrorCode::kBusy, "instance '" + wish.id.text() + "' is being changed by others: try again");
}

Result<> release_claims(state::Store& store, Change& change, model::HostId host, const model::InstancePlaced& placed) {
  auto claims = TRY(read<model::HostClaims>(store, model::claims_key(host)));
  const model::Resources& takes = placed.takes;
  const model::Resources& claimed = claims.value.claimed;
  if (claims.value.instances == 0 || claimed.vcpus < takes.vcpus || claimed.memory_mib < takes.memory_mib ||
      claimed.disk_gib < takes.disk_gib) {
    return Error(ErrorCode::kBusy,
                 "the claims of host " + host.text() + " do not contain instance " + placed.id.text());
  }
  claims.value.claimed -= takes;
  claims.value.instances--;
  change.update(model::claims_key(host), claims.value, claims.revision);
  return {};
}

Result<> give_up_migration(state::Store& store, Change& change, const InstanceView& instance, model::Event event) {
  model::InstancePlaced placed = instance.placed.value;
  TRY(release_claims(store, change, placed.migration.to, placed));
  placed.migration = {};
  change.update(model::placed_key(placed.id), placed, instance.placed.revision);
  return change.add_event(store, model::events_key(placed.id), std::move(event));
}

}  // namespace pileus::control
