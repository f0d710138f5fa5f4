#include "host/transfer_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "host/layer_gathering.h"
#include "os/file.h"

namespace pileus::host {
namespace {

using model::TransferState;
constexpr u32 kProgressStep = 5;        // percent that are worth a message
constexpr double kUntilAdopted = 0.9;   // of a disk that is imported: its file; then its layer gets its name

bool is_active(const control::TransferTask& task) { return task.observed.state == TransferState::kActive; }

// The disk of an import that is to be made next: the place among all disks of the one after those that are done.
std::optional<std::size_t> next_disk(const control::TransferTask& task) {
  std::size_t done = task.observed.disks.size();
  for (std::size_t i = 0; i < task.desired.disks.size(); ++i) {
    if (!task.desired.disks[i].is_file()) continue;
    if (done == 0) return i;
    --done;
  }
  return std::nullopt;
}

}  // namespace

bool TransferKeeper::step(control::DiskTasks& tasks) {
  forget_others(tasks);
  bool acted = false;
  for (control::TransferTask& task : tasks.transfers) {
    if (!is_active(task)) continue;
    const Result<bool> done = attend(task, tasks);
    if (!done) log::warn("{}: {}", task.desired.id.text(), done.error().message());
    acted |= done.ok() && *done;
  }
  return acted;
}

Result<bool> TransferKeeper::attend(control::TransferTask& task, const control::DiskTasks& tasks) {
  if (task.desired.kind == model::TransferKind::kExportImage) return export_image(task, tasks);
  const std::optional<std::size_t> next = next_disk(task);
  if (next) return import_next(task, *next);
  model::TransferObserved observed = task.observed;
  observed.state = TransferState::kCompleted;
  TRY(tell(task, std::move(observed)));
  return true;
}

Result<bool> TransferKeeper::import_next(control::TransferTask& task, std::size_t number) {
  const std::filesystem::path folder = places_.transfer(task.desired.id);
  if (const std::optional<StagedDisk> staged = find_staged(folder, number)) return adopt(task, *staged);
  const auto work = [this, desired = task.desired, number, folder](const TransferProgress& progress) {
    return import_disk(fetcher_, desired, number, folder, progress);
  };
  const TransferWorker::State state = worker_.ask(task.desired.id.text(), task.desired.account.text(), work);
  if (state.done) return true;
  if (state.failure) return follow(task, state);
  return tell_progress(task, state.what, state.part * kUntilAdopted);
}

Result<bool> TransferKeeper::adopt(control::TransferTask& task, const StagedDisk& staged) {
  const LayerWorker::State state = layers_.adopt(staged.path.string(), true);
  if (!state.id) {
    const bool fails = !state.failure.empty();
    const double part = kUntilAdopted + (fails ? 0 : state.part * (1 - kUntilAdopted));
    return wait_for_layers(task, fails ? state.failure : "reading", fails, part);
  }
  model::TransferObserved observed = task.observed;
  std::error_code error;
  const u64 bytes = std::filesystem::file_size(staged.path, error);
  if (error) return Error::from_errno("measure " + staged.path.string(), error.value());
  observed.disks.push_back({*state.id, bytes, staged.file_bytes});
  TRY(tell(task, std::move(observed)));
  return true;
}

Result<bool> TransferKeeper::export_image(control::TransferTask& task, const control::DiskTasks& tasks) {
  const model::TransferDesired& desired = task.desired;
  std::vector<store::Layer> layers;
  if (!desired.layers.empty()) {
    Gathered gathered = TRY(gather(layers_, places_.layers, desired.layers, tasks.layer_sources));
    if (!gathered.layers) return wait_for_layers(task, gathered.waits, gathered.fails, 0);
    layers = *std::move(gathered.layers);
  } else if (const Result<image::ImageInfo> image = library_.find(desired.image_name)) {
    layers.push_back({.file = library_.disk_of(image->name).string(), .raw = true});
  } else {
    TransferWorker::State none;
    none.failure = Error(ErrorCode::kNotFound, "this host has no image " + desired.image_name + " any more");
    return follow(task, none);
  }
  const std::filesystem::path path = TRY(places_.bucket_file(desired.account, desired.to.bucket, desired.to.key));
  const auto work = [layers, format = desired.format, path](const TransferProgress& progress) {
    return export_disk(layers, format, path, progress);
  };
  return follow(task, worker_.ask(desired.id.text(), desired.account.text(), work));
}

// What fails is tried again by LayerWorker: another host may be back soon.
Result<bool> TransferKeeper::wait_for_layers(control::TransferTask& task, const std::string& what, bool fails,
                                             double part_of_disk) {
  const std::string name = task.desired.id.text();
  if (!fails) {
    failing_since_.erase(name);
    return tell_progress(task, what, part_of_disk);
  }
  const auto now = std::chrono::steady_clock::now();
  const auto since = failing_since_.try_emplace(name, now).first->second;
  if (now - since < patience_) return tell_progress(task, what, part_of_disk);
  TransferWorker::State given_up;
  given_up.failure = Error(ErrorCode::kTimeout, what + "; given up");
  return follow(task, given_up);
}

// What has become of the work. What has failed is not tried again.
Result<bool> TransferKeeper::follow(control::TransferTask& task, const TransferWorker::State& state) {
  if (!state.done && !state.failure) return tell_progress(task, state.what, state.part);
  if (state.failure && state.failure->code() == ErrorCode::kGone) return false;  // we end, or nobody wants it
  model::TransferObserved observed = task.observed;
  observed.state = state.done ? TransferState::kCompleted : TransferState::kFailed;
  if (state.failure) observed.message = state.failure->message();
  TRY(tell(task, std::move(observed)));
  return true;
}

// `part_of_disk`: of the disk that is being worked on.
Result<bool> TransferKeeper::tell_progress(control::TransferTask& task, const std::string& what, double part_of_disk) {
  const auto is_file = [](const model::TransferDisk& disk) { return disk.is_file(); };
  const auto count = std::max<std::ptrdiff_t>(std::ranges::count_if(task.desired.disks, is_file), 1);
  const double part = (static_cast<double>(task.observed.disks.size()) + part_of_disk) / static_cast<double>(count);
  const auto percent = std::min<u32>(static_cast<u32>(part * 100) / kProgressStep * kProgressStep, 99);
  if (plain(what, task) == task.observed.message && percent <= task.observed.progress_percent) return false;
  model::TransferObserved observed = task.observed;
  observed.progress_percent = std::max(percent, observed.progress_percent);
  observed.message = what;
  TRY(tell(task, std::move(observed)));
  return false;
}

std::string TransferKeeper::plain(std::string message, const control::TransferTask& task) const {
  const std::filesystem::path buckets = places_.buckets / task.desired.account.text();
  for (const std::filesystem::path& folder : {buckets, places_.transfers.parent_path(), library_.root()}) {
    const std::string prefix = folder.string() + "/";
    for (std::size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix, at)) {
      message.erase(at, prefix.size());
    }
  }
  return message;
}

Result<> TransferKeeper::tell(control::TransferTask& task, model::TransferObserved observed) {
  observed.id = task.desired.id;
  observed.message = plain(std::move(observed.message), task);
  TRY(cloud_.observe(control::TransferObservation{observed}));
  if (observed.state != TransferState::kActive) {
    log::info("{}: {} {}", task.desired.id.text(), model::name(observed.state), observed.message);
  }
  task.observed = std::move(observed);
  return {};
}

// What is left of transfers that are over, or not this host's.
void TransferKeeper::forget_others(const control::DiskTasks& tasks) {
  std::set<std::string> names;
  for (const control::TransferTask& task : tasks.transfers) {
    if (is_active(task)) names.insert(task.desired.id.text());
  }
  worker_.keep_only(names);
  std::erase_if(failing_since_, [&](const auto& each) { return !names.contains(each.first); });
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(places_.transfers, ignored)) {
    if (names.contains(entry.path().filename().string())) continue;
    const Result<> removed = os::remove_all(entry.path());
    if (!removed) log::warn("{}", removed.error().message());
  }
}

}  // namespace pileus::host
