#include "control/simulated_fleet.h"

#include "control/disk_tasks.h"
#include "control/simulated_disks.h"

namespace pileus::control {

void SimulatedFleet::add(SimulatedMachine& machine, model::HostObserved self) {
  const model::HostId id = self.id;
  members_[id].host = std::make_unique<SimulatedHost>(store_, clock_, machine, std::move(self));
}

Result<u32> SimulatedFleet::keep_alive() {
  u32 done = 0;
  const model::Millis now = clock_.now();
  model::Millis number = 0;
  for (auto& [id, member] : members_) {
    // They join together, but then each has its own time, as hosts that were not started by one hand.
    const model::Millis early = kKeepAlive * number++ / members_.size();
    if (member.seen_at != 0 && now < member.seen_at + kKeepAlive) continue;
    done += TRY(member.host->join());
    member.seen_at = member.seen_at == 0 && early < now ? now - early : now;
  }
  return done;
}

void SimulatedFleet::take_images() {
  std::vector<model::ImageId> images;
  view_->look([&](View& view) { images = view.disks().library_images(); });
  if (images == images_) return;
  images_ = std::move(images);
  for (auto& [id, member] : members_) {
    member.host->has_images(images_);
    member.seen_at = 0;
  }
}

// The VM of an instance that is not the host's any more.
void SimulatedFleet::stop_stranger(model::InstanceId id, const InstanceView* instance) {
  const auto host = attended_.find(id);
  if (host == attended_.end()) return;
  members_.at(host->second).host->stop_if_stranger(id, instance);
  const bool still = instance != nullptr && instance->placed.exists() && instance->placed.value.host == host->second;
  if (!still) attended_.erase(host);
}

Result<u32> SimulatedFleet::run_once() {
  TRY(work_.refresh());
  take_images();
  u32 done = TRY(keep_alive());
  for (const model::InstanceId id : work_.gone()) stop_stranger(id, nullptr);
  const auto mine = work_.instances([this](model::InstanceId id, const InstanceView& instance) {
    if (!instance.desired.exists() || !instance.observed.exists()) return false;
    return attended_.contains(id) || (instance.placed.exists() && members_.contains(instance.placed.value.host));
  });
  for (const auto& [id, instance] : mine) {
    stop_stranger(id, &instance);
    const auto found = members_.find(instance.placed.value.host);
    if (instance.placed.exists() && found != members_.end()) {
      attended_[id] = found->first;
      if (TRY(found->second.host->attend(instance))) done++;
      for (const model::DiskWish& disk : instance.desired.value.disks) work_.add(disk.volume);
    }
    work_.done(id);
  }
  return done + TRY(attend_disks());
}

// Those of volumes that have changed, or whose snapshots or instances have. One that an instance still has stays on the
// list.
Result<u32> SimulatedFleet::attend_disks() {
  for (const auto& [id, snapshot] : work_.snapshots([](auto, const SnapshotView&) { return true; })) {
    work_.add(snapshot.desired.value.volume);
    work_.done(id);
  }
  const auto volumes = work_.volumes([](auto, const VolumeView& volume) { return volume.desired.exists(); });
  std::vector<SimulatedDisk> disks;
  std::vector<TransferView> transfers;
  std::map<model::HostId, model::Layers> ahead;
  view_->look([&](View& view) {
    for (const auto& [host, instances] : view.arrivals()) ahead[host] = layers_ahead(view, host);
    for (const auto& [id, volume] : volumes) disks.push_back(simulated_disk(view, volume));
    transfers = placed_transfers(view);
  });
  u32 done = 0;
  for (const TransferView& transfer : transfers) {
    const model::HostId host = transfer.placed.value.host;
    if (members_.contains(host) && TRY(control::attend(store_, clock_, host, transfer))) ++done;
  }
  for (const auto& [host, layers] : ahead) {
    if (members_.contains(host) && TRY(fetch_layers(store_, host, layers))) ++done;
  }
  for (const SimulatedDisk& disk : disks) {
    if (!members_.contains(disk.host)) continue;
    if (TRY(control::attend(store_, clock_, disk))) ++done;
  }
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (!disks[i].waits()) work_.done(volumes[i].first);
  }
  return done;
}

}  // namespace pileus::control
