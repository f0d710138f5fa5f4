// Snapshots come and go.
#include <algorithm>

#include "ec2/instances/objects.h"
#include "ec2/quota.h"
#include "ec2/snapshots/handlers.h"
#include "ec2/snapshots/write.h"
#include "ec2/tags/objects.h"
#include "model/image.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxDescription = 255;

Reply<model::SnapshotDesired> read_snapshot(const Call& call) {
  model::SnapshotDesired desired;
  desired.description = call.parameters.get("Description");
  if (desired.description.size() > kMaxDescription) {
    return ApiError("InvalidParameterValue", "A description has up to 255 characters");
  }
  desired.tags = TRY(tags_for(call.parameters, "snapshot"));
  return desired;
}

// An image that is not deregistered and has it; empty: none.
Reply<std::string> image_with(const Call& call, model::SnapshotId id) {
  const std::string prefix(model::kind_prefix(model::IdKind::kImage));
  const state::Snapshot all = TRY(call.store.get(state::Get{state::KeyRange::prefix(prefix)}));
  for (const state::KeyValue& entry : all.entries) {
    if (model::split_key(model::IdKind::kImage, entry.key).part != "desired") continue;
    const auto image = TRY(control::decode_entry<model::ImageDesired>(entry));
    const auto& disks = image.value.disks;
    const bool has = std::ranges::find(disks, id, &model::ImageDisk::snapshot) != disks.end();
    if (has && image.value.wanted) return image.value.id.text();
  }
  return std::string();
}

// Those of the instance's volumes that the request does not leave out.
Reply<std::vector<VolumeEntry>> volumes_of(const Call& call) {
  const Parameters given = call.parameters.below("InstanceSpecification");
  const InstanceEntry instance = TRY(find_instance(call, given.get("InstanceId")));
  const bool without_root = TRY(given.boolean("ExcludeBootVolume", false));
  const std::vector<std::string> without = given.list("ExcludeDataVolumeId");
  std::vector<VolumeEntry> volumes = TRY(find_volumes(call, {}));
  std::erase_if(volumes, [&](const VolumeEntry& volume) {
    const bool other = volume.instance != instance.desired.id || !volume.desired().attached_to;
    const bool left_out = std::ranges::find(without, volume.desired().id.text()) != without.end();
    return other || left_out || (without_root && volume.is_root);
  });
  return volumes;
}

}  // namespace

Reply<SnapshotEntry> add_snapshot(const Call& call, control::Change& change, const VolumeEntry& volume,
                                  model::SnapshotDesired desired) {
  const model::VolumeDesired& of = volume.desired();
  if (of.copying) return ApiError("IncorrectState", "The volume '" + of.id.text() + "' is still being copied");
  if (!of.wanted || shown_state(volume) == "error") {
    return ApiError("IncorrectState", "The volume '" + of.id.text() + "' is " + std::string(shown_state(volume)));
  }
  desired.id = model::SnapshotId::random();
  desired.account = call.account.id;
  desired.volume = of.id;
  desired.size_gib = of.size_gib;
  desired.started_at = call.clock.now();
  model::SnapshotObserved observed;
  observed.id = desired.id;
  if (!volume.lives) {
    observed.state = model::SnapshotState::kCompleted;
    observed.progress_percent = 100;
    observed.layers = of.begins_as;
    change.expect(model::placed_key(of.id), 0);
  }
  change.expect(model::desired_key(of.id), volume.view.desired.revision);
  change.update(model::desired_key(desired.id), desired, 0);
  change.update(model::observed_key(desired.id), observed, 0);
  TRY(tell(call, change, desired.id, "asked for", of.id.text()));
  return SnapshotEntry{std::move(desired), std::move(observed), 0};
}

Reply<> create_snapshot(Call& call, pugi::xml_node answer) {
  const model::SnapshotDesired wish = TRY(read_snapshot(call));
  SnapshotEntry entry;
  const auto attempt = [&]() -> Reply<bool> {
    const VolumeEntry volume = TRY(find_volume(call, call.parameters.get("VolumeId")));
    control::Change change;
    TRY(claim_snapshots(call, change, 1));
    entry = TRY(add_snapshot(call, change, volume, wish));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  write_snapshot(answer, entry);
  return {};
}

Reply<> create_snapshots(Call& call, pugi::xml_node answer) {
  const model::SnapshotDesired wish = TRY(read_snapshot(call));
  const bool copy_tags = call.parameters.get("CopyTagsFromSource") == "volume";
  std::vector<SnapshotEntry> entries;
  const auto attempt = [&]() -> Reply<bool> {
    entries.clear();
    control::Change change;
    const std::vector<VolumeEntry> volumes = TRY(volumes_of(call));
    TRY(claim_snapshots(call, change, volumes.size()));
    const u64 moment = model::random_id();
    for (const VolumeEntry& volume : volumes) {
      model::SnapshotDesired desired = wish;
      desired.moment = moment;
      if (copy_tags) desired.tags.insert(volume.desired().tags.begin(), volume.desired().tags.end());
      TRY(check_tags(desired.tags));
      entries.push_back(TRY(add_snapshot(call, change, volume, std::move(desired))));
    }
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  pugi::xml_node set = add(answer, "snapshotSet");
  for (const SnapshotEntry& entry : entries) write_snapshot(add_item(set), entry, "state");
  return {};
}

// Snapshots are lists of layers: a copy is another list.
Reply<> copy_snapshot(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  if (given.get("SourceRegion") != call.settings.region) {
    return ApiError("InvalidParameterValue", "Snapshots are copied within the region " + call.settings.region);
  }
  TRY(refuse_unsupported(given));
  model::SnapshotDesired desired = TRY(read_snapshot(call));
  desired.id = model::SnapshotId::random();
  desired.account = call.account.id;
  desired.started_at = call.clock.now();
  const auto attempt = [&]() -> Reply<bool> {
    const SnapshotEntry source = TRY(usable_snapshot(call, given.get("SourceSnapshotId")));
    desired.volume = source.desired.volume;
    desired.size_gib = source.desired.size_gib;
    model::SnapshotObserved observed = source.observed;
    observed.id = desired.id;
    control::Change change;
    TRY(claim_snapshots(call, change, 1));
    change.expect(state::Compare::exists(model::desired_key(source.desired.id)));
    change.update(model::desired_key(desired.id), desired, 0);
    change.update(model::observed_key(desired.id), observed, 0);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add(answer, "snapshotId", desired.id.text());
  add_tags(answer, desired.tags);
  return {};
}

Reply<> delete_snapshot(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const SnapshotEntry snapshot = TRY(own_snapshot(call, call.parameters.get("SnapshotId")));
    const model::SnapshotId id = snapshot.desired.id;
    const std::string image = TRY(image_with(call, id));
    if (!image.empty()) {
      return ApiError("InvalidSnapshot.InUse", "The snapshot " + id.text() + " is currently in use by " + image);
    }
    control::Change change;
    change.expect(model::desired_key(id), snapshot.revision);
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kSnapshot, id.text(), "")));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
