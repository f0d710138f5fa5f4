#include "control/disk_reports.h"

#include <set>

namespace pileus::control {
namespace {

constexpr int kTries = 8;

Result<VolumeView> read_volume(state::Store& store, model::VolumeId id) {
  VolumeView volume;
  volume.desired = TRY(read<model::VolumeDesired>(store, model::desired_key(id)));
  volume.placed = TRY(read<model::VolumePlaced>(store, model::placed_key(id)));
  volume.observed = TRY(read<model::VolumeObserved>(store, model::observed_key(id)));
  return volume;
}

struct Home {
  model::HostId host;
  u64 epoch = 0;
};

// As home_of(), of records just read; what it was read from becomes a condition.
Result<Home> read_home(state::Store& store, const VolumeView& volume, Change& change) {
  const model::VolumeDesired& desired = volume.desired.value;
  if (!desired.id) return Home{};
  change.expect(model::placed_key(desired.id), volume.placed.revision);
  if (volume.placed.exists()) return Home{volume.placed.value.host, volume.placed.value.epoch};
  if (!desired.attached_to) return Home{};
  const auto instance = TRY(read<model::InstancePlaced>(store, model::placed_key(desired.attached_to)));
  if (!instance.exists()) return Home{};
  change.expect(model::placed_key(desired.attached_to), instance.revision);
  return Home{instance.value.host, 1};
}

Result<bool> try_volume(state::Store& store, const Clock& clock, model::HostId host, const VolumeObservation& told) {
  const model::VolumeId id = told.observed.id;
  const VolumeView volume = TRY(read_volume(store, id));
  Change change;
  const Home home = TRY(read_home(store, volume, change));
  if (!host || home.host != host || home.epoch != told.observed.epoch) {
    return Error(ErrorCode::kNotFound, "volume " + id.text() + " does not live on this host");
  }
  if (told.deleted) {
    if (volume.desired.value.wanted) {
      return Error(ErrorCode::kInvalid, "volume " + id.text() + " was not to be deleted");
    }
    erase_volume(change, volume);
    return TRY(change.commit(store)).has_value();
  }
  if (told.observed.handed_over && !volume.placed.value.leaving) {
    return Error(ErrorCode::kInvalid, "volume " + id.text() + " was not to be handed over");
  }
  model::VolumeObserved next = told.observed;
  next.host = host;
  next.changed_at = clock.now();
  if (next.state != volume.observed.value.state) {
    model::VolumeState state = volume.observed.value.state;
    TRY(model::apply_move(state, next.state));
  }
  change.expect(model::desired_key(id), volume.desired.revision);
  change.update(model::observed_key(id), next, volume.observed.revision);
  if (!told.what.empty()) {
    TRY(change.add_event(store, model::events_key(id), {next.changed_at, host.text(), told.what, told.why}));
  }
  return TRY(change.commit(store)).has_value();
}

// Who tells what a snapshot is made of has it, as the next report will say: placement may need to know before that.
Result<> add_layers(state::Store& store, Change& change, model::HostId host, const model::Layers& layers) {
  auto held = TRY(read<model::HostLayers>(store, model::layers_key(host)));
  std::set<std::string> all(held.value.layers.begin(), held.value.layers.end());
  all.insert(layers.begin(), layers.end());
  if (all.size() == held.value.layers.size()) return {};
  held.value.id = host;
  held.value.layers.assign(all.begin(), all.end());
  change.update(model::layers_key(host), held.value, held.revision);
  return {};
}

Result<bool> try_snapshot(state::Store& store, const Clock& clock, model::HostId host,
                          const SnapshotObservation& told) {
  const model::SnapshotId id = told.observed.id;
  const auto desired = TRY(read<model::SnapshotDesired>(store, model::desired_key(id)));
  const auto before = TRY(read<model::SnapshotObserved>(store, model::observed_key(id)));
  if (before.exists() && before.value == told.observed) return true;  // said twice
  const VolumeView volume = TRY(read_volume(store, desired.value.volume));
  Change change;
  const Home home = TRY(read_home(store, volume, change));
  const bool waited_for = desired.exists() && before.value.state == model::SnapshotState::kPending;
  if (!host || !waited_for || home.host != host) {
    return Error(ErrorCode::kNotFound, "nobody waits for snapshot " + id.text() + " of this host");
  }
  if (told.observed.state != before.value.state) {
    model::SnapshotState state = before.value.state;
    TRY(model::apply_move(state, told.observed.state));
  }
  change.expect(model::desired_key(id), desired.revision);
  change.update(model::observed_key(id), told.observed, before.revision);
  if (told.observed.state == model::SnapshotState::kCompleted)
    TRY(add_layers(store, change, host, told.observed.layers));
  if (!told.what.empty()) {
    TRY(change.add_event(store, model::events_key(id), {clock.now(), host.text(), told.what, told.why}));
  }
  return TRY(change.commit(store)).has_value();
}

}  // namespace

void erase_volume(Change& change, const VolumeView& volume) {
  const model::VolumeId id = volume.desired.value.id;
  change.expect(model::desired_key(id), volume.desired.revision);
  change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kVolume, id.text(), "")));
}

Result<> observe_volume(state::Store& store, const Clock& clock, model::HostId host, const VolumeObservation& told) {
  for (int i = 0; i < kTries; ++i) {
    if (TRY(try_volume(store, clock, host, told))) return {};
  }
  return Error(ErrorCode::kBusy, "volume " + told.observed.id.text() + " is being changed by others: try again");
}

Result<> observe_snapshot(state::Store& store, const Clock& clock, model::HostId host,
                          const SnapshotObservation& told) {
  for (int i = 0; i < kTries; ++i) {
    if (TRY(try_snapshot(store, clock, host, told))) return {};
  }
  return Error(ErrorCode::kBusy, "snapshot " + told.observed.id.text() + " is being changed by others: try again");
}

}  // namespace pileus::control
