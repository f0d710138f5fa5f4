#include "host/host_disks.h"

#include <algorithm>

#include "base/log.h"

namespace pileus::host {
namespace {

constexpr std::chrono::minutes kCleanEvery{1};
// The cloud may be about to need what has just come.
constexpr std::chrono::minutes kGarbageAge{10};

}  // namespace

Result<std::unique_ptr<HostDisks>> HostDisks::open(const image::Library& library, const std::filesystem::path& folder,
                                                   CloudLink& cloud, std::unique_ptr<http::Client> client) {
  DiskPlaces places = TRY(DiskPlaces::open(folder));
  return std::unique_ptr<HostDisks>(new HostDisks(library, std::move(places), cloud, std::move(client)));
}

HostDisks::HostDisks(const image::Library& library, DiskPlaces places, CloudLink& cloud,
                     std::unique_ptr<http::Client> client)
    : library_(library),
      places_(std::move(places)),
      worker_(places_.layers, std::move(client)),
      volumes_(library_, places_, worker_, cloud),
      snapshots_(places_, worker_, cloud),
      transfers_(library_, places_, worker_, cloud) {}

Result<> HostDisks::serve_layers(const Membership& membership, const std::string& address) {
  server_ = TRY(LayerServer::start(places_.layers, membership, address));
  return {};
}

bool HostDisks::step(control::DiskTasks& tasks, const std::vector<control::Assignment>& assignments,
                     std::map<model::InstanceId, LocalVm>& vms, LocalVm::Time now) {
  const Holders holders = holders_of(vms);
  bool acted = worker_.take_news();
  if (acted) news_ = true;
  // Snapshots first: a volume that is to go was to be kept as it was before.
  acted |= snapshots_.step(tasks, assignments, holders);
  acted |= transfers_.step(tasks);
  acted |= volumes_.step(tasks, holders, not_to_be_made(tasks, assignments, vms));
  for (const std::string& layer : tasks.layers_ahead) {
    const auto sources = tasks.layer_sources.find(layer);
    worker_.fetch(layer, sources == tasks.layer_sources.end() ? std::vector<std::string>() : sources->second);
  }
  if (now - cleaned_ >= kCleanEvery) {
    cleaned_ = now;
    collect_garbage(tasks);
  }
  return acted;
}

// The cloud forgets such a volume with the instance, and a snapshot of it that is not completed by then.
Result<bool> HostDisks::remove_disks_of(const control::Assignment& assignment, const control::DiskTasks& tasks) {
  for (const model::DiskWish& disk : assignment.desired.disks) {
    if (!disk.delete_on_termination) continue;
    const auto waits = [&](const control::SnapshotTask& snapshot) {
      return snapshot.volume == disk.volume && snapshot.observed.state == model::SnapshotState::kPending;
    };
    const store::DiskFolder folder = places_.volume(disk.volume);
    if (std::filesystem::exists(folder.path()) && std::ranges::any_of(tasks.snapshots, waits)) return false;
    TRY(remove_disk(folder));
  }
  return true;
}

// Read through in the background, the first time that they are asked for.
void HostDisks::fill_in(control::HostReport& report) {
  for (const image::ImageInfo& image : library_.list()) {
    report.image_names.push_back(image.name);
    const LayerWorker::State state = worker_.adopt(library_.disk_of(image.name).string(), true);
    if (state.id) report.image_layers[image.name] = *state.id;
  }
  const std::set<std::string> ids = places_.layers.ids();
  report.layers.layers.assign(ids.begin(), ids.end());
  if (server_) report.layers.address = server_->url();
}

void HostDisks::collect_garbage(const control::DiskTasks& tasks) {
  std::set<std::string> needed(tasks.needed_layers.begin(), tasks.needed_layers.end());
  for (const image::ImageInfo& image : library_.list()) {
    if (const auto id = places_.layers.id_of_file(library_.disk_of(image.name))) needed.insert(*id);
  }
  const auto youngest = std::filesystem::file_time_type::clock::now() - kGarbageAge;
  for (const std::string& id : places_.layers.ids()) {
    if (needed.contains(id) || places_.layers.since(id) > youngest) continue;
    const Result<> removed = places_.layers.remove(id);
    if (!removed) log::warn("layer {}: {}", id, removed.error().message());
    if (removed) log::info("layer {} is needed no more", id);
  }
}

}  // namespace pileus::host
