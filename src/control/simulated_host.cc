#include "control/simulated_host.h"

#include "control/disk_tasks.h"
#include "control/simulated_disks.h"

namespace pileus::control {
namespace {

// Those that it has in this state.
std::vector<model::VolumeId> volumes_of(const InstanceView& instance, model::InstanceState state) {
  std::vector<model::VolumeId> volumes;
  if (state == model::InstanceState::kTerminated) return volumes;
  const bool leaves = instance.placed.value.migration.down && state == model::InstanceState::kStopped;
  if (leaves) return volumes;
  for (const model::DiskWish& disk : instance.desired.value.disks) volumes.push_back(disk.volume);
  return volumes;
}

}  // namespace

Result<u32> SimulatedHost::join() {
  if (lease_ != state::LeaseId::kNone) {
    const auto kept = store_.keep_alive(lease_);
    if (kept.ok()) return 0U;
    if (kept.error().code() != ErrorCode::kNotFound) return kept.error();
  }
  const state::Lease lease = TRY(store_.grant_lease(kLease));
  state::Transaction registration;
  self_.reported_at = clock_.now();
  registration.then.emplace_back(state::Put{model::observed_key(self_.id), model::encode(self_)});
  registration.then.emplace_back(state::Put{model::alive_key(self_.id), "", lease.id});
  TRY(store_.commit(registration));
  lease_ = lease.id;
  return 1U;
}

void SimulatedHost::has_images(const std::vector<model::ImageId>& images) {
  if (self_.images == images) return;
  self_.images = images;
  lease_ = state::LeaseId::kNone;  // registers anew
}

Result<u32> SimulatedHost::run_once() {
  u32 done = TRY(join());
  TRY(view_.sync());
  for (const auto& [id, instance] : view_.instances()) {
    const bool here = instance.placed.exists() && instance.placed.value.host == self_.id;
    if (here && instance.desired.exists() && instance.observed.exists() && TRY(attend(instance))) done++;
  }
  done += TRY(attend_disks());
  return done + stop_strangers(view_);
}

// The volumes that live here, their snapshots, and transfers.
Result<u32> SimulatedHost::attend_disks() {
  u32 done = 0;
  for (const auto& [id, volume] : view_.disks().volumes()) {
    if (!volume.desired.exists()) continue;
    const SimulatedDisk disk = simulated_disk(view_, volume);
    if (disk.host == self_.id && TRY(control::attend(store_, clock_, disk))) ++done;
  }
  for (const TransferView& transfer : placed_transfers(view_)) {
    if (transfer.placed.value.host != self_.id) continue;
    if (TRY(control::attend(store_, clock_, self_.id, transfer))) ++done;
  }
  if (TRY(fetch_layers(store_, self_.id, layers_ahead(view_, self_.id)))) ++done;
  return done;
}

// Whether the instance has other volumes than it should: now it has those.
Result<bool> SimulatedHost::report_disks(const InstanceView& instance) {
  if (instance.observed.value.attached_volumes == volumes_of(instance, instance.observed.value.state)) return false;
  return report(instance, instance.observed.value.state);
}

// One step nearer to what is desired. The VM first, then the report: a kill between the two leaves a VM that the next run
// finds, and a report that it makes then.
Result<bool> SimulatedHost::attend(const InstanceView& instance) {
  using enum model::InstanceState;
  const model::InstanceId id = instance.desired.value.id;
  const model::Power wanted = power_on_host(instance);
  const model::InstanceState is = instance.observed.value.state;
  if (wanted == model::Power::kRunning) {
    if (is == kStopped) return report(instance, kPending);
    if (is == kStopping) return report(instance, kStopped);
    if (is == kRunning) return report_disks(instance);
    if (is != kPending) return false;
    if (!machine_.vms.contains(id)) {
      machine_.vms[id] = instance.placed.value.epoch;
      machine_.starts[id]++;
    } else if (machine_.vms[id] != instance.placed.value.epoch) {
      machine_.double_starts++;
    }
    return report(instance, kRunning);
  }
  const bool for_good = wanted == model::Power::kTerminated;
  if (is == kStopped && !for_good) return report_disks(instance);
  if (is == kTerminated) return false;
  if (is == kShuttingDown || is == kStopping) {
    machine_.vms.erase(id);
    if (is == kStopping) return report(instance, kStopped);
    return report(instance, kTerminated);
  }
  if (for_good) return report(instance, kShuttingDown);
  if (is == kPending) {
    machine_.vms.erase(id);
    return report(instance, kStopped);
  }
  return report(instance, kStopping);
}

Result<bool> SimulatedHost::report(const InstanceView& instance, model::InstanceState state) {
  model::InstanceObserved observed = instance.observed.value;
  if (state != observed.state) TRY(model::apply_move(observed.state, state));
  observed.host = self_.id;
  observed.epoch = instance.placed.value.epoch;
  observed.generation = instance.desired.value.generation;
  observed.reboots = instance.desired.value.reboots;
  observed.changed_at = clock_.now();
  observed.attached_volumes = volumes_of(instance, state);
  Change change;
  change.expect(model::placed_key(observed.id), instance.placed.revision);
  change.expect(model::desired_key(observed.id), instance.desired.revision);
  change.update(model::observed_key(observed.id), observed, instance.observed.revision);
  TRY(change.add_event(store_, model::events_key(observed.id),
                       {observed.changed_at, self_.id.text(), std::string(model::name(state)), ""}));
  return TRY(change.commit(store_)).has_value();
}

bool SimulatedHost::is_stranger(u64 epoch, const InstanceView* instance) const {
  if (instance == nullptr || !instance->placed.exists()) return true;
  const model::InstancePlaced& placed = instance->placed.value;
  return placed.host != self_.id || placed.epoch != epoch;
}

// VMs that nobody placed here, or under another epoch, are stopped.
u32 SimulatedHost::stop_strangers(const View& view) {
  return static_cast<u32>(
      std::erase_if(machine_.vms, [&](const auto& vm) { return is_stranger(vm.second, view.find(vm.first)); }));
}

void SimulatedHost::stop_if_stranger(model::InstanceId id, const InstanceView* instance) {
  const auto vm = machine_.vms.find(id);
  if (vm != machine_.vms.end() && is_stranger(vm->second, instance)) machine_.vms.erase(vm);
}

}  // namespace pileus::control
