#include "host/volume_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "host/layer_gathering.h"
#include "host/vm_disks.h"
#include "store/clone.h"
#include "store/flatten.h"
#include "vmm/control_client.h"

namespace pileus::host {
namespace {

// The mark of a volume that may be another host's from then on: "handed-over-EPOCH-LAYERS".
constexpr std::string_view kHandedOver = "handed-over-";

std::string hand_over_mark(u64 epoch, std::size_t layers) {
  return std::string(kHandedOver) + std::to_string(epoch) + "-" + std::to_string(layers);
}

// The last one that it has; null: it was never to be handed over.
const store::Mark* last_hand_over(const store::Chain& chain) {
  const store::Mark* last = nullptr;
  for (const store::Mark& mark : chain.marks) {
    if (mark.name.starts_with(kHandedOver)) last = &mark;
  }
  return last;
}

bool is_of(const store::Mark& mark, u64 epoch) {
  return (mark.name + "-").starts_with(std::string(kHandedOver) + std::to_string(epoch) + "-");
}

// Under an earlier epoch it was given away; what is here is of no use any more.
bool is_stale(const store::DiskFolder& folder, u64 epoch) {
  const Result<store::Chain> chain = folder.chain();
  const store::Mark* const mark = chain ? last_hand_over(*chain) : nullptr;
  return mark != nullptr && !is_of(*mark, epoch);
}

// Whether all that it holds was there when it was last to be handed over.
bool is_as_handed_over(const store::Disk& disk) {
  const store::Mark* const mark = last_hand_over(disk.chain());
  return mark != nullptr && mark->layers == disk.chain().layers.size() && !disk.written();
}

bool exists(const store::DiskFolder& folder) { return std::filesystem::exists(folder.path()); }

}  // namespace

bool VolumeKeeper::step(control::DiskTasks& tasks, const Holders& holders, const std::set<model::VolumeId>& others) {
  bool acted = false;
  for (control::VolumeTask& task : tasks.volumes) {
    if (others.contains(task.id) && !exists(places_.volume(task.id))) continue;
    const Result<bool> done = attend(task, tasks, holders);
    if (!done) log::warn("{}: {}", task.id.text(), done.error().message());
    acted |= done.ok() && *done;
  }
  return forget_handed_over(tasks, holders) || acted;
}

Result<bool> VolumeKeeper::attend(control::VolumeTask& task, const control::DiskTasks& tasks, const Holders& holders) {
  if (task.goal == control::VolumeGoal::kHold) return hold(task, tasks, holders);
  if (holders.contains(task.id)) return false;  // its VM is to let go of it first
  const auto is_to_be_taken = [&](const control::SnapshotTask& snapshot) {
    return snapshot.volume == task.id && snapshot.observed.state == model::SnapshotState::kPending &&
           !exists(places_.snapshot(snapshot.id));
  };
  if (std::ranges::any_of(tasks.snapshots, is_to_be_taken)) return false;
  return task.goal == control::VolumeGoal::kHandOver ? hand_over(task) : remove(task);
}

std::string VolumeKeeper::waits_for(const control::DiskTasks& tasks, model::VolumeId id) const {
  if (exists(places_.volume(id))) return {};
  const auto task = std::ranges::find(tasks.volumes, id, &control::VolumeTask::id);
  if (task == tasks.volumes.end() || task->observed.reason.empty()) return "its disk is being made";
  return task->observed.reason;
}

Result<bool> VolumeKeeper::hold(control::VolumeTask& task, const control::DiskTasks& tasks, const Holders& holders) {
  const store::DiskFolder folder = places_.volume(task.id);
  if (exists(folder) && is_stale(folder, task.epoch) && !holders.contains(task.id)) TRY(remove_disk(folder));
  if (!exists(folder) && !TRY(make(task, tasks))) return false;
  if (!holders.contains(task.id)) TRY(store::flatten_if_many(folder));
  const u64 wanted = task.size_gib * kGiB;
  if (TRY(folder.size()) < wanted) TRY(grow(task, wanted, holders));
  model::VolumeObserved observed = task.observed;
  observed.state = model::VolumeState::kAvailable;
  observed.epoch = task.epoch;
  observed.size_gib = TRY(folder.size()) / kGiB;
  observed.handed_over = false;
  observed.layers.clear();
  observed.reason.clear();
  if (observed == task.observed) return false;
  const std::string what = task.observed.size_gib == 0                  ? "made"
                           : observed.size_gib > task.observed.size_gib ? "grown"
                                                                        : "ready";
  TRY(tell(task, observed, {what, std::to_string(observed.size_gib) + " GiB", false}));
  return true;
}

Result<bool> VolumeKeeper::make(control::VolumeTask& task, const control::DiskTasks& tasks) {
  std::vector<store::Layer> layers;
  u64 bytes = task.size_gib * kGiB;
  if (!task.layers.empty()) {
    Gathered gathered = TRY(gather(worker_, places_.layers, task.layers, tasks.layer_sources));
    if (!gathered.layers) {
      TRY(tell_reason(task, gathered.waits));
      return false;
    }
    layers = *std::move(gathered.layers);
  } else if (!task.image_name.empty()) {
    const Result<image::ImageInfo> image = library_.find(task.image_name);
    if (!image) {
      TRY(tell_reason(task, "this host has no image " + task.image_name));
      return false;
    }
    layers.push_back({.file = library_.disk_of(image->name).string(), .raw = true});
    bytes = std::max(bytes, image->disk_bytes);
  }
  TRY(store::make_disk(std::move(layers), places_.volume(task.id).path(), bytes));
  return true;
}

Result<> VolumeKeeper::grow(const control::VolumeTask& task, u64 bytes, const Holders& holders) {
  const auto holder = holders.find(task.id);
  if (holder != holders.end() && holder->second->alive()) {
    const LocalVm& vm = *holder->second;
    TRY(vmm::ask(vm.directory(), vmm::resize_disk(name_in_vm(vm, task.id), bytes)));
    return {};
  }
  return TRY(places_.volume(task.id).open())->grow(bytes);
}

// Frozen, then told of when all its layers have their names. Once is not enough: it may have stayed after all, and have been
// written since.
Result<bool> VolumeKeeper::hand_over(control::VolumeTask& task) {
  const store::DiskFolder folder = places_.volume(task.id);
  if (task.observed.handed_over && task.observed.epoch == task.epoch) return false;
  if (!exists(folder)) return Error(ErrorCode::kNotFound, "it is not here to be handed over");
  {
    const std::unique_ptr<store::Disk> disk = TRY(folder.open());
    const bool frozen = is_as_handed_over(*disk) && is_of(*last_hand_over(disk->chain()), task.epoch);
    if (!frozen) TRY(disk->snapshot(hand_over_mark(task.epoch, disk->chain().layers.size())));
  }
  const store::Chain chain = TRY(folder.chain());
  model::VolumeObserved observed = task.observed;
  observed.layers.clear();
  for (const store::Layer& layer : chain.layers) {
    const LayerWorker::State state = worker_.adopt(folder.file(layer.file), layer.raw);
    if (!state.id) {
      if (!state.failure.empty()) TRY(tell_reason(task, state.failure));
      return false;
    }
    observed.layers.push_back(*state.id);
  }
  observed.epoch = task.epoch;
  observed.handed_over = true;
  observed.reason.clear();
  TRY(tell(task, observed, {"handed over", "", false}));
  return true;
}

Result<bool> VolumeKeeper::remove(control::VolumeTask& task) {
  TRY(remove_disk(places_.volume(task.id)));
  if (task.observed.state == model::VolumeState::kDeleted) return false;
  model::VolumeObserved observed = task.observed;
  observed.epoch = task.epoch;
  TRY(tell(task, observed, {"deleted", "", true}));
  task.observed.state = model::VolumeState::kDeleted;  // said, until the cloud asks no more
  return true;
}

Result<> VolumeKeeper::tell(control::VolumeTask& task, model::VolumeObserved observed, Told told) {
  control::VolumeObservation message{std::move(observed), told.deleted, told.what, told.why};
  message.observed.id = task.id;
  TRY(cloud_.observe(message));
  log::info("{}: {}{}{}", task.id.text(), told.what, told.why.empty() ? "" : ": ", told.why);
  task.observed = message.observed;
  return {};
}

Result<> VolumeKeeper::tell_reason(control::VolumeTask& task, const std::string& reason) {
  if (task.observed.reason == reason && task.observed.epoch == task.epoch) return {};
  model::VolumeObserved observed = task.observed;
  observed.id = task.id;
  if (observed.epoch != task.epoch) {  // the rest is what its last host said when it gave it away
    observed.handed_over = false;
    observed.layers.clear();
  }
  observed.epoch = task.epoch;
  observed.reason = reason;
  TRY(cloud_.observe(control::VolumeObservation{observed, false, "", ""}));
  task.observed = std::move(observed);
  return {};
}

// What was handed over and is not asked for any more lives elsewhere. All else stays: the cloud may have lost its memory.
bool VolumeKeeper::forget_handed_over(const control::DiskTasks& tasks, const Holders& holders) {
  bool acted = false;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(places_.volumes, ignored)) {
    const Result<model::VolumeId> id = model::VolumeId::parse(entry.path().filename().string());
    if (!id || holders.contains(*id) || !is_stale(places_.volume(*id), 0)) continue;
    if (std::ranges::find(tasks.volumes, *id, &control::VolumeTask::id) != tasks.volumes.end()) continue;
    const Result<std::unique_ptr<store::Disk>> disk = places_.volume(*id).open();
    if (!disk || !is_as_handed_over(**disk)) continue;
    const Result<> removed = remove_disk(places_.volume(*id));
    if (!removed) log::warn("{}: {}", id->text(), removed.error().message());
    acted |= removed.ok();
  }
  return acted;
}

}  // namespace pileus::host
