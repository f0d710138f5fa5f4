#include "host/snapshot_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "host/vm_disks.h"
#include "store/clone.h"
#include "vmm/control_client.h"

namespace pileus::host {
namespace {

constexpr u32 kProgressStep = 10;  // percent that are worth a message

bool has_volume(const control::Assignment& assignment, model::VolumeId volume) {
  const auto& disks = assignment.desired.disks;
  return std::ranges::find(disks, volume, &model::DiskWish::volume) != disks.end();
}

// The instance that has the volume, as far as it is known here.
const control::Assignment* holder_of(const std::vector<control::Assignment>& assignments, model::VolumeId volume) {
  const auto found = std::ranges::find_if(
      assignments, [&](const control::Assignment& assignment) { return has_volume(assignment, volume); });
  return found == assignments.end() ? nullptr : &*found;
}

// The VM that has the volume; null: none has.
const LocalVm* vm_with(const Holders& holders, model::VolumeId volume) {
  const auto found = holders.find(volume);
  return found == holders.end() ? nullptr : found->second;
}

// By which the moment is found again in the disk: that of the snapshot, or of all that are taken with it.
std::string mark_of(const control::SnapshotTask& task) {
  return task.moment == 0 ? task.id.text() : "moment-" + std::to_string(task.moment);
}

// Whether a snapshot that goes with a reboot may be taken now.
bool is_down(const control::SnapshotTask& task, const control::Assignment* instance, const LocalVm* vm) {
  if (instance == nullptr || vm == nullptr) return true;
  if (vm->alive()) return instance->observed.reboots >= task.with_reboot;  // too late: it has rebooted already
  return true;
}

}  // namespace

bool SnapshotKeeper::step(control::DiskTasks& tasks, const std::vector<control::Assignment>& assignments,
                          const Holders& holders) {
  bool acted = false;
  for (control::SnapshotTask& task : tasks.snapshots) {
    const Result<bool> done = attend(task, tasks, assignments, holders);
    if (!done) log::warn("{}: {}", task.id.text(), done.error().message());
    acted |= done.ok() && *done;
  }
  return forget_done(tasks) || acted;
}

bool SnapshotKeeper::is_to_wait(const control::DiskTasks& tasks, const control::Assignment& assignment) const {
  return std::ranges::any_of(tasks.snapshots, [&](const control::SnapshotTask& task) {
    return task.with_reboot > assignment.observed.reboots && task.observed.state == model::SnapshotState::kPending &&
           has_volume(assignment, task.volume) && !std::filesystem::exists(places_.snapshot(task.id).path()) &&
           std::filesystem::exists(places_.volume(task.volume).path());
  });
}

Result<bool> SnapshotKeeper::attend(control::SnapshotTask& task, const control::DiskTasks& tasks,
                                    const std::vector<control::Assignment>& assignments, const Holders& holders) {
  if (task.observed.state != model::SnapshotState::kPending) return false;
  if (std::filesystem::exists(places_.snapshot(task.id).path())) return name_layers(task);
  if (!std::filesystem::exists(places_.volume(task.volume).path())) return false;  // it is being made
  const LocalVm* const vm = vm_with(holders, task.volume);
  if (task.with_reboot != 0 && !is_down(task, holder_of(assignments, task.volume), vm)) return false;
  if (const std::string never = TRY(why_never(task)); !never.empty()) return give_up(task, never);
  const Result<> taken = take(task, tasks, holders);
  if (!taken) TRY(tell_waiting(task, taken.error()));
  TRY(taken);
  return true;
}

// Waiting would not help: the layers of a disk are merged at a start of its VM alone, and what would be snapshot then is not
// what was to be.
Result<std::string> SnapshotKeeper::why_never(const control::SnapshotTask& task) const {
  const store::Chain chain = TRY(places_.volume(task.volume).chain());
  if (chain.find_mark(mark_of(task)) != nullptr || chain.layers.size() < store::kMaxLayers) return std::string();
  return task.volume.text() + " is made of " + std::to_string(store::kMaxLayers) +
         " layers, and there may be no more. They are merged when its instance is stopped and started: then try again";
}

Result<bool> SnapshotKeeper::give_up(control::SnapshotTask& task, const std::string& why) {
  model::SnapshotObserved observed = task.observed;
  observed.state = model::SnapshotState::kError;
  observed.reason = why;
  TRY(tell(task, std::move(observed), "failed", why));
  return true;
}

// The owner is told that it is tried again, and not of the host's folders.
Result<> SnapshotKeeper::tell_waiting(control::SnapshotTask& task, const Error& failure) {
  model::SnapshotObserved observed = task.observed;
  observed.reason = failure.code() == ErrorCode::kExhausted ? "there is no room for it on its host"
                                                            : "it could not be taken yet, and is tried again";
  if (observed.reason == task.observed.reason) return {};
  const std::string why = observed.reason;
  return tell(task, std::move(observed), "waiting", why);
}

// However often this is tried, the moment stays that of the first time: the disk knows it by its mark.
Result<> SnapshotKeeper::freeze(const control::SnapshotTask& task, const control::DiskTasks& tasks,
                                const Holders& holders, const std::string& mark) {
  const store::DiskFolder folder = places_.volume(task.volume);
  if (TRY(folder.chain()).find_mark(mark) != nullptr) return {};
  const LocalVm* const vm = vm_with(holders, task.volume);
  if (vm == nullptr || !vm->alive()) {
    const std::unique_ptr<store::Disk> disk = TRY(folder.open());
    TRY(disk->snapshot(mark));
    return {};
  }
  // Those of the same moment with it: the guest writes nothing between them.
  std::vector<std::string> disks;
  for (const control::SnapshotTask& each : tasks.snapshots) {
    const bool together = each.id == task.id || (task.moment != 0 && each.moment == task.moment);
    if (together && vm_with(holders, each.volume) == vm) disks.push_back(name_in_vm(*vm, each.volume));
  }
  TRY(vmm::ask(vm->directory(), vmm::snapshot_disks(std::move(disks), mark)));
  return {};
}

Result<> SnapshotKeeper::take(const control::SnapshotTask& task, const control::DiskTasks& tasks,
                              const Holders& holders) {
  const store::DiskFolder folder = places_.volume(task.volume);
  const std::string mark = mark_of(task);
  TRY(freeze(task, tasks, holders, mark));
  const store::Chain chain = TRY(folder.chain());
  const store::Mark* const found = chain.find_mark(mark);
  if (found == nullptr) return Error(ErrorCode::kCorrupt, "the snapshot is not in " + folder.path().string());
  const u64 bytes = TRY(store::DiskFolder::size_of_layers(folder, found->layers));
  TRY(store::clone(folder, found->layers, places_.snapshot(task.id).path(), bytes));
  log::info("{}: taken of {}", task.id.text(), task.volume.text());
  return {};
}

Result<bool> SnapshotKeeper::name_layers(control::SnapshotTask& task) {
  const store::DiskFolder folder = places_.snapshot(task.id);
  const store::Chain chain = TRY(folder.chain());
  model::SnapshotObserved observed = task.observed;
  observed.layers.clear();
  for (const store::Layer& layer : chain.layers) {
    const LayerWorker::State state = worker_.adopt(folder.file(layer.file), layer.raw);
    if (state.id) {
      observed.layers.push_back(*state.id);
      continue;
    }
    const double part =
        (static_cast<double>(observed.layers.size()) + state.part) / static_cast<double>(chain.layers.size());
    const auto percent = static_cast<u32>(part * 100) / kProgressStep * kProgressStep;
    if (percent <= task.observed.progress_percent && state.failure == task.observed.reason) return false;
    observed.layers.clear();
    observed.progress_percent = std::max(percent, task.observed.progress_percent);
    observed.reason = state.failure;
    TRY(tell(task, std::move(observed), "", ""));
    return false;
  }
  observed.state = model::SnapshotState::kCompleted;
  observed.progress_percent = 100;
  observed.reason.clear();
  TRY(tell(task, std::move(observed), "completed", ""));
  return true;
}

Result<> SnapshotKeeper::tell(control::SnapshotTask& task, model::SnapshotObserved observed, const std::string& what,
                              const std::string& why) {
  observed.id = task.id;
  TRY(cloud_.observe(control::SnapshotObservation{observed, what, why}));
  if (!what.empty()) log::info("{}: {}{}{}", task.id.text(), what, why.empty() ? "" : ": ", why);
  task.observed = std::move(observed);
  return {};
}

// What nobody waits for any more: its layers have names, or the snapshot is not wanted.
bool SnapshotKeeper::forget_done(const control::DiskTasks& tasks) {
  bool acted = false;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(places_.snapshots, ignored)) {
    const Result<model::SnapshotId> id = model::SnapshotId::parse(entry.path().filename().string());
    if (!id) continue;
    if (std::ranges::find(tasks.snapshots, *id, &control::SnapshotTask::id) != tasks.snapshots.end()) continue;
    const Result<> removed = remove_disk(places_.snapshot(*id));
    if (!removed) log::warn("{}: {}", id->text(), removed.error().message());
    acted |= removed.ok();
  }
  return acted;
}

}  // namespace pileus::host
