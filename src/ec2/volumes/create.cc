// Volumes come and go.
#include <algorithm>
#include <array>

#include "control/disk_reports.h"
#include "ec2/internal/once.h"
#include "ec2/quota.h"
#include "ec2/snapshots/objects.h"
#include "ec2/tags/objects.h"
#include "ec2/volumes/handlers.h"
#include "ec2/volumes/write.h"

namespace pileus::ec2 {
namespace {

struct VolumeType {
  std::string_view name;
  u32 iops;        // that it has when nothing is said; 0: it has none
  u32 throughput;  // the same
  bool takes_iops;
};
constexpr std::array<VolumeType, 7> kTypes = {{{"gp3", 3000, 125, true},
                                               {"gp2", 100, 0, false},
                                               {"io1", 100, 0, true},
                                               {"io2", 100, 0, true},
                                               {"st1", 0, 0, false},
                                               {"sc1", 0, 0, false},
                                               {"standard", 0, 0, false}}};
constexpr i64 kMaxIops = 256000;
constexpr i64 kMaxThroughput = 1000;

Reply<model::VolumeDesired> read_volume(const Call& call) {
  const Parameters& given = call.parameters;
  TRY(refuse_unsupported(given));
  model::VolumeDesired volume;
  volume.id = model::VolumeId::random();
  volume.account = call.account.id;
  volume.zone = given.get("AvailabilityZone");
  if (std::ranges::find(call.settings.zones, volume.zone) == call.settings.zones.end()) {
    return ApiError("InvalidZone.NotFound", "The zone '" + volume.zone.substr(0, 40) + "' does not exist.");
  }
  i64 least = 1;
  if (given.has("SnapshotId")) {
    const SnapshotEntry snapshot = TRY(usable_snapshot(call, given.get("SnapshotId")));
    volume.snapshot = snapshot.desired.id;
    volume.begins_as = snapshot.observed.layers;
    least = static_cast<i64>(snapshot.desired.size_gib);
  } else if (!given.has("Size")) {
    return ApiError("MissingParameter", "The request must contain the parameter size or snapshotId");
  }
  const i64 size = TRY(given.integer("Size", least));
  if (size < least || size > static_cast<i64>(kMaxVolume)) {
    return ApiError("InvalidParameterValue", "A volume of this kind has " + std::to_string(least) + " to " +
                                                 std::to_string(kMaxVolume) + " GiB, not " + std::to_string(size));
  }
  volume.size_gib = static_cast<u64>(size);
  TRY(read_performance(given, volume));
  volume.created_at = call.clock.now();
  volume.tags = TRY(tags_for(given, "volume"));
  return volume;
}

}  // namespace

Reply<> refuse_unsupported(const Parameters& parameters) {
  if (TRY(parameters.boolean("Encrypted", false)) || parameters.has("KmsKeyId")) {
    return ApiError("UnsupportedOperation", "Volumes are not encrypted here: encrypt inside the guest");
  }
  if (TRY(parameters.boolean("MultiAttachEnabled", false))) {
    return ApiError("UnsupportedOperation", "A volume is attached to one instance at a time");
  }
  if (parameters.has("OutpostArn")) return ApiError("UnsupportedOperation", "There are no outposts here");
  return {};
}

Reply<> read_performance(const Parameters& parameters, model::VolumeDesired& volume) {
  const bool new_type = parameters.has("VolumeType");
  if (new_type) volume.type = parameters.get("VolumeType");
  const auto* const type = std::ranges::find(kTypes, volume.type, &VolumeType::name);
  if (type == kTypes.end()) {
    return ApiError("InvalidParameterValue", "Invalid volume type '" + volume.type.substr(0, 40) + "'");
  }
  if (parameters.has("Iops") && !type->takes_iops) {
    return ApiError("InvalidParameterCombination",
                    "The parameter iops is not supported for " + volume.type + " volumes");
  }
  if (parameters.has("Throughput") && type->throughput == 0) {
    return ApiError("InvalidParameterCombination",
                    "The parameter throughput is not supported for " + volume.type + " volumes");
  }
  const bool keep = !new_type && volume.iops != 0;
  const i64 iops = TRY(parameters.integer("Iops", keep ? volume.iops : type->iops));
  const i64 throughput = TRY(parameters.integer("Throughput", keep ? volume.throughput : type->throughput));
  if (iops < 0 || iops > kMaxIops || throughput < 0 || throughput > kMaxThroughput) {
    return ApiError("InvalidParameterValue", "Iops are up to 256000, and the throughput up to 1000 MiB a second");
  }
  volume.iops = static_cast<u32>(iops);
  volume.throughput = static_cast<u32>(throughput);
  return {};
}

Reply<> create_volume(Call& call, pugi::xml_node answer) {
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    const model::VolumeDesired volume = TRY(read_volume(call));
    TRY(claim_volumes(call, change, volume.size_gib));
    model::VolumeObserved observed;
    observed.id = volume.id;
    observed.state = model::VolumeState::kAvailable;  // a volume that lives nowhere lacks nothing
    observed.size_gib = volume.size_gib;
    observed.changed_at = volume.created_at;
    if (volume.snapshot) change.expect(state::Compare::exists(model::desired_key(volume.snapshot)));
    change.update(model::desired_key(volume.id), volume, 0);
    change.update(model::observed_key(volume.id), observed, 0);
    TRY(tell(call, change, volume.id, "asked for"));
    return volume.id.text();
  };
  const std::string id = TRY(make_once(call, "CreateVolume", make));
  const Reply<VolumeEntry> volume = find_volume(call, id);
  if (volume) {
    write_volume(answer, *volume);
    return {};
  }
  add(answer, "volumeId", id);  // made by an earlier request with this token, and deleted since
  add(answer, "status", "deleted");
  return {};
}

Reply<> delete_volume(Call& call, pugi::xml_node answer) {
  const auto attempt = [&]() -> Reply<bool> {
    const VolumeEntry volume = TRY(find_volume(call, call.parameters.get("VolumeId")));
    const model::VolumeId id = volume.desired().id;
    if (!volume.is_detached()) {
      return ApiError("VolumeInUse", "Volume " + id.text() + " is currently attached to " + volume.instance.text());
    }
    if (!volume.desired().wanted) return true;
    control::Change change;
    change.expect(model::placed_key(id), volume.view.placed.revision);
    if (!volume.lives) {
      erase_volume(change, volume.view);
      return TRY(change.commit(call.store)).has_value();
    }
    model::VolumeDesired desired = volume.desired();
    desired.wanted = false;
    change.update(model::desired_key(id), desired, volume.view.desired.revision);
    TRY(tell(call, change, id, "wanted deleted"));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
