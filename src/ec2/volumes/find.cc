// What is known of volumes: their own records, and those of the instances that have them.
#include <algorithm>

#include "control/disk_tasks.h"
#include "ec2/volumes/objects.h"

namespace pileus::ec2 {
namespace {

using State = model::InstanceState;

// The disk of an instance from before volumes had records.
control::VolumeView volume_of(const model::InstanceDesired& instance, const model::DiskWish& disk) {
  control::VolumeView volume;
  volume.desired.value.id = disk.volume;
  volume.desired.value.account = instance.account;
  volume.desired.value.zone = instance.wish.zone;
  volume.desired.value.size_gib = disk.size_gib;
  volume.desired.value.image = instance.image;
  volume.desired.value.attached_to = instance.id;
  volume.desired.value.created_at = instance.launched_at;
  return volume;
}

void note_attachment(const control::View& view, VolumeEntry& entry) {
  const model::VolumeId id = entry.desired().id;
  entry.instance = entry.desired().attached_to ? entry.desired().attached_to : holder_of(view, entry.view);
  const control::InstanceView* instance = entry.instance ? view.find(entry.instance) : nullptr;
  if (instance == nullptr) {
    entry.instance = {};
    return;
  }
  const bool over = instance->observed.value.state == State::kTerminated;
  const auto& disks = instance->desired.value.disks;
  const auto wish = std::ranges::find(disks, id, &model::DiskWish::volume);
  const auto& has = instance->observed.value.attached_volumes;
  const bool wanted = wish != disks.end();
  bool is = std::ranges::find(has, id) != has.end();
  if (wanted) {
    entry.wish = *wish;
    entry.is_root = wish == disks.begin();
    // An instance comes with the volumes that it was launched with.
    is |= wish->attached_at == 0;
    if (wish->attached_at == 0) entry.wish.attached_at = instance->desired.value.launched_at;
  }
  // An instance that is over is parting from it, until the records say that it has.
  entry.attachment = over ? model::AttachmentState::kDetaching : model::attachment_state(wanted, is);
}

VolumeEntry entry_of(const control::View& view, const control::VolumeView& volume) {
  VolumeEntry entry;
  entry.view = volume;
  entry.lives = static_cast<bool>(home_of(view, volume).host);
  note_attachment(view, entry);
  return entry;
}

// Its instance has ended and took it with it, although its record is still there.
bool went_with_instance(const control::View& view, const control::VolumeView& volume) {
  const model::VolumeDesired& desired = volume.desired.value;
  const control::InstanceView* instance = desired.attached_to ? view.find(desired.attached_to) : nullptr;
  if (instance == nullptr || instance->observed.value.state != State::kTerminated) return false;
  const auto& disks = instance->desired.value.disks;
  const auto wish = std::ranges::find(disks, desired.id, &model::DiskWish::volume);
  return wish != disks.end() && wish->delete_on_termination;
}

void collect(const control::View& view, const model::AccountId& account, std::vector<VolumeEntry>& entries) {
  for (const model::VolumeId id : view.disks().of_account(account)) {
    const control::VolumeView& volume = *view.disks().find(id);
    if (!went_with_instance(view, volume)) entries.push_back(entry_of(view, volume));
  }
  for (const model::InstanceId id : view.of_account(account)) {
    const control::InstanceView& instance = *view.find(id);
    if (instance.observed.value.state == State::kTerminated) continue;
    for (const model::DiskWish& disk : instance.desired.value.disks) {
      if (disk.volume && view.disks().find(disk.volume) == nullptr) {
        entries.push_back(entry_of(view, volume_of(instance.desired.value, disk)));
      }
    }
  }
}

}  // namespace

std::string_view shown_state(const VolumeEntry& volume) {
  using enum model::VolumeState;
  if (!volume.desired().wanted) return name(kDeleting);
  if (!volume.is_detached()) return name(kInUse);
  const auto& observed = volume.view.observed;
  const bool early = observed.exists() && observed.value.state != kAvailable && observed.value.state != kDeleting;
  return name(early ? observed.value.state : kAvailable);
}

Reply<std::vector<VolumeEntry>> find_volumes(const Call& call, const std::vector<std::string>& ids) {
  for (const std::string& text : ids) {
    const Result<model::VolumeId> id = model::VolumeId::parse(text);
    if (id || id.error().code() == ErrorCode::kNotFound) continue;
    return ApiError("InvalidVolumeID.Malformed", "Invalid id: \"" + text.substr(0, 40) + "\"");
  }
  std::vector<VolumeEntry> entries;
  TRY(call.catalogue.read([&](const control::View& view) { collect(view, call.account.id, entries); }));
  const auto id_of = [](const VolumeEntry& entry) { return entry.desired().id.text(); };
  std::ranges::sort(entries, {}, id_of);
  for (const std::string& text : ids) {
    if (std::ranges::find(entries, text, id_of) != entries.end()) continue;
    return ApiError("InvalidVolume.NotFound", "The volume '" + text.substr(0, 40) + "' does not exist.");
  }
  if (ids.empty()) return entries;
  std::erase_if(entries, [&](const VolumeEntry& entry) { return std::ranges::find(ids, id_of(entry)) == ids.end(); });
  return entries;
}

Reply<VolumeEntry> find_volume(const Call& call, const std::string& id) { return TRY(find_volumes(call, {id})).at(0); }

}  // namespace pileus::ec2
