// Volumes get to instances and away from them. The wish is written to both records in one transaction; hosts do the rest.
#include <algorithm>
#include <cctype>

#include "control/disk_tasks.h"
#include "ec2/instances/objects.h"
#include "ec2/volumes/handlers.h"
#include "ec2/volumes/write.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxDisks = 24;  // of an instance

// "/dev/sdf", "/dev/xvdba", "xvdf", "/dev/vdb"
bool is_device_name(std::string_view name) {
  if (name.starts_with("/dev/")) name.remove_prefix(5);
  const bool known = name.starts_with("sd") || name.starts_with("vd") || name.starts_with("xvd");
  if (!known) return false;
  name.remove_prefix(name.starts_with("xvd") ? 3 : 2);
  constexpr std::size_t kLongest = 3;
  const auto is_fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kLongest && name[0] >= 'a' && name[0] <= 'z' &&
         std::ranges::all_of(name, is_fine);
}

Reply<> check_attachable(const VolumeEntry& volume, const InstanceEntry& instance, const std::string& device) {
  using enum model::InstanceState;
  const std::string id = volume.desired().id.text();
  if (!is_device_name(device)) {
    return ApiError("InvalidParameterValue", "Value (" + device.substr(0, 40) +
                                                 ") for parameter device is invalid. It is not a valid EBS device "
                                                 "name: use one as /dev/sdf.");
  }
  if (!volume.is_detached()) {
    return ApiError("VolumeInUse", id + " is already attached to an instance");
  }
  if (shown_state(volume) != "available") {
    return ApiError("IncorrectState",
                    "The volume '" + id + "' is " + std::string(shown_state(volume)) + ", and not available");
  }
  const model::InstanceState state = instance.observed.state;
  if (state != kRunning && state != kStopped) {
    return ApiError("IncorrectState", "Instance '" + instance.desired.id.text() + "' is not 'running': it is " +
                                          std::string(model::name(state)));
  }
  if (instance.desired.wish.zone != volume.desired().zone) {
    return ApiError("InvalidVolume.ZoneMismatch", "The volume '" + id +
                                                      "' is not in the same availability zone as instance '" +
                                                      instance.desired.id.text() + "'");
  }
  const auto& disks = instance.desired.disks;
  if (std::ranges::find(disks, device, &model::DiskWish::device) != disks.end()) {
    return ApiError("InvalidParameterValue",
                    "Invalid value '" + device + "' for unixDevice. Attachment point " + device + " is already in use");
  }
  if (disks.size() >= kMaxDisks) {
    return ApiError("AttachmentLimitExceeded", "An instance has at most " + std::to_string(kMaxDisks) + " volumes");
  }
  return {};
}

// The attachment that the request names.
Reply<> check_named(const Parameters& given, const VolumeEntry& volume) {
  const std::string id = volume.desired().id.text();
  if (!volume.desired().attached_to) {
    return ApiError("IncorrectState",
                    "Volume '" + id + "' is in the '" + std::string(shown_state(volume)) + "' state.");
  }
  const bool other_instance = given.has("InstanceId") && given.get("InstanceId") != volume.instance.text();
  const bool other_device = given.has("Device") && given.get("Device") != volume.wish.device;
  if (other_instance || other_device) {
    return ApiError("InvalidAttachment.NotFound", "The volume '" + id + "' is not attached to " +
                                                      given.get("InstanceId").substr(0, 40) +
                                                      (other_device ? " as that device" : ""));
  }
  if (volume.desired().copying) {
    return ApiError("IncorrectState", "The volume '" + id + "' is still being copied");
  }
  if (volume.is_root) {
    return ApiError("OperationNotPermitted", "Unable to detach root volume '" + volume.wish.device +
                                                 "' from instance '" + volume.instance.text() + "'");
  }
  return {};
}

// Both halves of the wish, and where the volume lives if that was not said yet.
Reply<bool> commit(const Call& call, const VolumeEntry& volume, const model::VolumeDesired& desired,
                   const control::Stored<model::InstanceDesired>& instance, const char* what) {
  const model::VolumeId id = desired.id;
  control::Change change;
  change.update(model::desired_key(id), desired, volume.view.desired.revision);
  change.update(model::desired_key(instance.value.id), instance.value, instance.revision);
  if (volume.view.placed.exists()) {
    change.expect(model::placed_key(id), volume.view.placed.revision);
  } else {
    control::InstanceView view;
    view.placed = TRY(control::read<model::InstancePlaced>(call.store, model::placed_key(instance.value.id)));
    change.expect(model::placed_key(instance.value.id), view.placed.revision);
    if (view.placed.exists()) {
      change.update(model::placed_key(id), control::first_place(volume.view, view, call.clock.now()), 0);
    }
  }
  TRY(tell(call, change, id, what, instance.value.id.text()));
  TRY(tell(call, change, instance.value.id, what, id.text()));
  return TRY(change.commit(call.store)).has_value();
}

}  // namespace

Reply<> attach_volume(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  VolumeEntry shown;
  const auto attempt = [&]() -> Reply<bool> {
    const VolumeEntry volume = TRY(find_volume(call, given.get("VolumeId")));
    const InstanceEntry entry = TRY(find_instance(call, given.get("InstanceId")));
    auto instance = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(entry.desired.id)));
    TRY(check_attachable(volume, entry, given.get("Device")));
    if (instance.value.disks != entry.desired.disks) return false;  // changed meanwhile
    model::DiskWish wish;
    wish.device = given.get("Device");
    wish.volume = volume.desired().id;
    wish.size_gib = volume.desired().size_gib;
    wish.delete_on_termination = false;
    wish.attached_at = call.clock.now();
    instance.value.disks.push_back(wish);
    instance.value.generation++;
    model::VolumeDesired desired = volume.desired();
    desired.attached_to = instance.value.id;
    shown = volume;
    shown.instance = instance.value.id;
    shown.wish = wish;
    shown.attachment = model::AttachmentState::kAttaching;
    return commit(call, volume, desired, instance, "wanted attached");
  };
  TRY(retry(attempt));
  write_attachment(answer, shown);
  return {};
}

Reply<> detach_volume(Call& call, pugi::xml_node answer) {
  VolumeEntry shown;
  const auto attempt = [&]() -> Reply<bool> {
    const VolumeEntry volume = TRY(find_volume(call, call.parameters.get("VolumeId")));
    TRY(check_named(call.parameters, volume));
    auto instance = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(volume.instance)));
    std::erase_if(instance.value.disks,
                  [&](const model::DiskWish& disk) { return disk.volume == volume.desired().id; });
    instance.value.generation++;
    model::VolumeDesired desired = volume.desired();
    desired.attached_to = {};
    shown = volume;
    shown.attachment = model::AttachmentState::kDetaching;
    return commit(call, volume, desired, instance, "wanted detached");
  };
  TRY(retry(attempt));
  write_attachment(answer, shown);
  return {};
}

}  // namespace pileus::ec2
