#include "control/disk_view.h"

#include <algorithm>

namespace pileus::control {
namespace {

template <typename Map>
const typename Map::mapped_type* look_up(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

template <typename Map>
const typename Map::mapped_type& set_of(const Map& map, const typename Map::key_type& key) {
  static const typename Map::mapped_type kNone;
  const auto* const found = look_up(map, key);
  return found == nullptr ? kNone : *found;
}

// Sets that are empty are not kept.
template <typename Map, typename Id>
void put(Map& map, const typename Map::key_type& key, Id id, bool add) {
  auto& set = map[key];
  if (add) set.insert(id);
  else set.erase(id);
  if (set.empty()) map.erase(key);
}

}  // namespace

std::size_t new_snapshots(const model::TransferDesired& task) {
  return static_cast<std::size_t>(std::ranges::count_if(task.disks, &model::TransferDisk::is_file));
}

const VolumeView* DiskView::find(model::VolumeId id) const { return look_up(volumes_, id); }
const SnapshotView* DiskView::find(model::SnapshotId id) const { return look_up(snapshots_, id); }
const TransferView* DiskView::find(model::TransferId id) const { return look_up(transfers_, id); }
const LibraryImage* DiskView::find(model::ImageId id) const { return look_up(images_, id); }
DiskUsage DiskView::used_by(const model::AccountId& account) const {
  const DiskUsage* used = look_up(used_, account);
  return used == nullptr ? DiskUsage() : *used;
}
std::vector<model::ImageId> DiskView::library_images() const {
  std::vector<model::ImageId> ids;
  for (const auto& [id, image] : images_) {
    if (!image.name.empty()) ids.push_back(id);
  }
  return ids;
}
const std::set<model::VolumeId>& DiskView::of_account(const model::AccountId& account) const {
  return set_of(accounts_, account);
}
const std::set<model::VolumeId>& DiskView::on_host(model::HostId host) const { return set_of(placed_, host); }
const std::set<model::SnapshotId>& DiskView::pending_snapshots(model::VolumeId volume) const {
  return set_of(pending_, volume);
}

Result<DiskView::Changed> DiskView::apply(const state::KeyValue& entry, bool deleted) {
  Changed changed;
  if (const auto parts = model::split_key(model::IdKind::kVolume, entry.key); !parts.id.empty()) {
    changed.volume = TRY(model::VolumeId::parse(parts.id));
    TRY(apply_volume(changed.volume, parts.part, entry, deleted));
  } else if (const auto of = model::split_key(model::IdKind::kSnapshot, entry.key); !of.id.empty()) {
    changed.snapshot = TRY(model::SnapshotId::parse(of.id));
    TRY(apply_snapshot(changed.snapshot, of.part, entry, deleted));
  } else if (const auto image = model::split_key(model::IdKind::kImage, entry.key); !image.id.empty()) {
    const model::ImageId id = TRY(model::ImageId::parse(image.id));
    TRY(apply_image(id, image.part, entry, deleted));
  } else if (const auto transfer = model::split_key(model::IdKind::kTransfer, entry.key); !transfer.id.empty()) {
    const model::TransferId id = TRY(model::TransferId::parse(transfer.id));
    TRY(apply_transfer(id, transfer.part, entry, deleted));
  }
  return changed;
}

Result<> DiskView::apply_volume(model::VolumeId id, std::string_view part, const state::KeyValue& entry, bool deleted) {
  if (part != "desired" && part != "placed" && part != "observed") return {};
  VolumeView& view = volumes_[id];
  index(view, false);
  Result<> kept = part == "desired"  ? keep_newer(view.desired, entry, deleted)
                  : part == "placed" ? keep_newer(view.placed, entry, deleted)
                                     : keep_newer(view.observed, entry, deleted);
  index(view, true);
  if (!view.desired.exists() && !view.placed.exists() && !view.observed.exists()) volumes_.erase(id);
  return kept;
}

Result<> DiskView::apply_snapshot(model::SnapshotId id, std::string_view part, const state::KeyValue& entry,
                                  bool deleted) {
  if (part != "desired" && part != "observed") return {};
  SnapshotView& view = snapshots_[id];
  index(view, false);
  Result<> kept =
      part == "desired" ? keep_newer(view.desired, entry, deleted) : keep_newer(view.observed, entry, deleted);
  index(view, true);
  if (!view.desired.exists() && !view.observed.exists()) snapshots_.erase(id);
  return kept;
}

Result<> DiskView::apply_transfer(model::TransferId id, std::string_view part, const state::KeyValue& entry,
                                  bool deleted) {
  if (part != "desired" && part != "placed" && part != "observed") return {};
  TransferView& view = transfers_[id];
  index(view, false);
  Result<> kept = part == "desired"  ? keep_newer(view.desired, entry, deleted)
                  : part == "placed" ? keep_newer(view.placed, entry, deleted)
                                     : keep_newer(view.observed, entry, deleted);
  index(view, true);
  if (!view.desired.exists() && !view.placed.exists() && !view.observed.exists()) transfers_.erase(id);
  return kept;
}

Result<> DiskView::apply_image(model::ImageId id, std::string_view part, const state::KeyValue& entry, bool deleted) {
  if (part != "desired" && part != "observed") return {};
  LibraryImage& image = images_[id];
  if (part == "desired") {
    image.name.clear();
    if (deleted) return {};
    const auto desired = TRY(decode_entry<model::ImageDesired>(entry));
    if (desired.value.disks.empty()) image.name = desired.value.name;
    return {};
  }
  if (!image.layer.empty()) need({image.layer}, false);
  image.layer.clear();
  pending_images_.erase(id);
  if (deleted) return {};
  const auto observed = TRY(decode_entry<model::ImageObserved>(entry));
  if (observed.value.state == model::ImageState::kPending) pending_images_.insert(id);
  if (observed.value.state == model::ImageState::kAvailable) image.layer = observed.value.manifest;
  if (!image.layer.empty()) need({image.layer}, true);
  return {};
}

void DiskView::index(const VolumeView& view, bool add) {
  if (view.desired.exists()) {
    put(accounts_, view.desired.value.account, view.desired.value.id, add);
    count(view.desired.value.account, {.volume_gib = view.desired.value.size_gib}, add);
    need(view.desired.value.begins_as, add);
  }
  if (view.placed.exists()) {
    put(placed_, view.placed.value.host, view.placed.value.id, add);
    need(view.placed.value.layers, add);
  }
  // Between two hosts nobody has them in a chain.
  if (view.observed.exists() && view.observed.value.handed_over) need(view.observed.value.layers, add);
}

void DiskView::index(const SnapshotView& view, bool add) {
  const bool counts = view.desired.exists() && view.desired.value.clones.empty();
  if (counts) count(view.desired.value.account, {.snapshots = 1}, add);
  if (view.pending()) put(pending_, view.desired.value.volume, view.desired.value.id, add);
  if (view.desired.exists() && view.observed.exists()) need(view.observed.value.layers, add);
}

// What is to be exported is kept until it is, and the first disks of an import until the last is there.
void DiskView::index(const TransferView& view, bool add) {
  if (!view.active()) return;
  const model::TransferId id = view.desired.value.id;
  if (add) active_transfers_.insert(id);
  else active_transfers_.erase(id);
  count(view.desired.value.account, {.snapshots = new_snapshots(view.desired.value)}, add);
  need(view.desired.value.layers, add);
  for (const model::ImportedDisk& disk : view.observed.value.disks) need({disk.layer}, add);
}

void DiskView::count(const model::AccountId& account, const DiskUsage& what, bool add) {
  DiskUsage& used = used_[account];
  used.volume_gib += add ? what.volume_gib : -what.volume_gib;
  used.snapshots += add ? what.snapshots : -what.snapshots;
  if (used == DiskUsage()) used_.erase(account);
}

void DiskView::need(const model::Layers& layers, bool add) {
  for (const std::string& layer : layers) {
    u32& count = layers_[layer];
    count = add ? count + 1 : count - 1;
    if (count == 0) layers_.erase(layer);
  }
}

}  // namespace pileus::control
