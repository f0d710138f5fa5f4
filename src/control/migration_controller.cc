#include "control/migration_controller.h"

#include <algorithm>

#include "control/disk_tasks.h"
#include "control/migration.h"

namespace pileus::control {
namespace {

enum class Next { kWait, kGiveUp, kTakeDown, kArrive };

// Why the other host is not to get it any more; empty: it is.
std::string fault_of(const HostView* host) {
  if (host == nullptr || !host->desired.exists() || host->desired.value.mode == model::HostMode::kRetired) {
    return "the other host is gone";
  }
  if (host->desired.value.mode == model::HostMode::kMaintenance) return "the other host is in maintenance";
  if (host->health.value.state != model::HostState::kReady) return "the other host cannot be reached";
  return {};
}

bool holds_all(const HostView& host, const model::Layers& layers) {
  return std::ranges::all_of(
      layers, [&](const std::string& layer) { return std::ranges::binary_search(host.layers.value.layers, layer); });
}

}  // namespace

// What is to be done now, and what was seen for it.
struct MigrationController::Step {
  Next next = Next::kWait;
  std::string why;  // it is given up
  HostView target;
  std::vector<VolumeView> moving;  // volumes that are to be the other host's, all of which it has by now
};

namespace {

// Of an instance that is down: whether all of its disks are frozen, and the other host has what they are made of.
bool is_ready(const View& view, const InstanceView& instance, const HostView& target, std::vector<VolumeView>& moving) {
  for (const model::DiskWish& disk : instance.desired.value.disks) {
    const VolumeView* const volume = view.disks().find(disk.volume);
    if (volume == nullptr || !volume->placed.exists()) return false;
    if (volume->placed.value.host == target.desired.value.id && !volume->placed.value.leaving) continue;
    if (!is_handed_over(*volume) || !holds_all(target, volume->observed.value.layers)) return false;
    moving.push_back(*volume);
  }
  return true;
}

}  // namespace

Result<u32> MigrationController::run_once() {
  TRY(work_.refresh());
  const auto moving = work_.instances([](model::InstanceId, const InstanceView& instance) {
    return instance.desired.exists() && instance.observed.exists() && instance.placed.value.migration.to;
  });
  u32 done = 0;
  for (const auto& [id, instance] : moving) {
    if (TRY(act(instance))) ++done;  // it stays on the list as long as it moves
  }
  return done;
}

Result<bool> MigrationController::act(const InstanceView& instance) {
  const model::Migration& migration = instance.placed.value.migration;
  const bool stopped = instance.observed.value.state == model::InstanceState::kStopped;
  Step step;
  view_->look([&](View& view) {
    const HostView* const target = view.find(migration.to);
    step.why = fault_of(target);
    const bool over = instance.observed.value.state == model::InstanceState::kTerminated;
    if (over || instance.desired.value.power == model::Power::kTerminated) step.why = "it is to end";
    else if (clock_.now() >= migration.since + kMigrationPatience) step.why = "its disks did not get there in time";
    if (!step.why.empty()) {
      step.next = Next::kGiveUp;
      return;
    }
    step.target = *target;
    if (!migration.down) {
      if (stopped || holds_all(*target, layers_to_fetch(view, instance))) step.next = Next::kTakeDown;
    } else if (stopped && is_ready(view, instance, *target, step.moving)) {
      step.next = Next::kArrive;
    }
  });
  switch (step.next) {
    case Next::kWait: return false;
    case Next::kGiveUp: return give_up(instance, step.why);
    case Next::kTakeDown: return take_down(instance);
    case Next::kArrive: return arrive(instance, step);
  }
  return false;
}

Result<bool> MigrationController::give_up(const InstanceView& instance, const std::string& why) {
  const model::InstancePlaced& placed = instance.placed.value;
  Change change;
  const Result<> given_up =
      give_up_migration(store_, change, instance, {clock_.now(), "migrations", "stays on " + placed.host.text(), why});
  if (!given_up && given_up.error().code() == ErrorCode::kBusy) return false;
  TRY(given_up);
  return TRY(change.commit(store_)).has_value();
}

Result<bool> MigrationController::take_down(const InstanceView& instance) {
  model::InstancePlaced placed = instance.placed.value;
  placed.migration.down = true;
  Change change;
  change.expect(model::desired_key(placed.id), instance.desired.revision);
  change.update(model::placed_key(placed.id), placed, instance.placed.revision);
  TRY(change.add_event(store_, model::events_key(placed.id),
                       {clock_.now(), "migrations", "goes down", "to move to " + placed.migration.to.text()}));
  return TRY(change.commit(store_)).has_value();
}

// The one step after which it is somewhere else, with all of its volumes.
Result<bool> MigrationController::arrive(const InstanceView& instance, const Step& step) {
  model::InstancePlaced placed = instance.placed.value;
  const model::HostId from = placed.host;
  Change change;
  const Result<> released = release_claims(store_, change, from, placed);
  if (!released && released.error().code() == ErrorCode::kBusy) return false;
  TRY(released);
  placed.host = placed.migration.to;
  placed.epoch++;
  placed.placed_at = clock_.now();
  placed.why = placed.migration.why;
  placed.why.insert(placed.why.begin(), "moved here from " + from.text());
  placed.migration = {};
  change.expect(model::desired_key(placed.id), instance.desired.revision);
  change.expect(model::observed_key(placed.id), instance.observed.revision);
  change.update(model::placed_key(placed.id), placed, instance.placed.revision);
  change.expect(model::desired_key(placed.host), step.target.desired.revision);
  change.expect(model::health_key(placed.host), step.target.health.revision);
  for (const VolumeView& volume : step.moving) {
    const model::VolumeId id = volume.desired.value.id;
    change.expect(model::observed_key(id), volume.observed.revision);
    change.update(model::placed_key(id), next_place(volume, placed.host, placed.placed_at), volume.placed.revision);
  }
  TRY(change.add_event(store_, model::events_key(placed.id),
                       {placed.placed_at, "migrations", "migrated to " + placed.host.text(), "from " + from.text()}));
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
