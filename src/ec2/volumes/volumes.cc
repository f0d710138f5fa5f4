// Volumes: so far the root disks of instances, shown as what they are.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/instances/objects.h"
#include "ec2/pages.h"
#include "ec2/volumes/handlers.h"

namespace pileus::ec2 {
namespace {

struct Volume {
  const InstanceEntry* instance;
  const model::DiskWish* disk;
};

constexpr Filter<Volume> kFilters[] = {
    {"volume-id", [](const Volume& volume) { return Texts{volume.disk->volume.text()}; }},
    {"attachment.instance-id", [](const Volume& volume) { return Texts{volume.instance->desired.id.text()}; }},
    {"attachment.device", [](const Volume& volume) { return Texts{volume.disk->device}; }},
    {"attachment.status", [](const Volume&) { return Texts{"attached"}; }},
    {"attachment.delete-on-termination", [](const Volume& volume) { return flag(volume.disk->delete_on_termination); }},
    {"status", [](const Volume&) { return Texts{"in-use"}; }},
    {"size", [](const Volume& volume) { return Texts{std::to_string(volume.disk->size_gib)}; }},
    {"availability-zone", [](const Volume& volume) { return Texts{volume.instance->desired.wish.zone}; }},
    {"encrypted", [](const Volume&) { return flag(false); }},
    {"volume-type", [](const Volume&) { return Texts{"gp3"}; }},
    {"create-time", [](const Volume& volume) { return Texts{format_time(volume.instance->desired.launched_at)}; }},
};
const model::Tags& no_tags(const Volume&) {
  static const model::Tags kNone;
  return kNone;
}

void write_volume(pugi::xml_node set, const Volume& volume) {
  const model::InstanceDesired& instance = volume.instance->desired;
  pugi::xml_node item = add_item(set);
  add(item, "volumeId", volume.disk->volume.text());
  add_number(item, "size", static_cast<i64>(volume.disk->size_gib));
  add(item, "snapshotId", "");
  add(item, "availabilityZone", instance.wish.zone);
  add(item, "status", "in-use");
  add_time(item, "createTime", instance.launched_at);
  pugi::xml_node attachment = add_item(add(item, "attachmentSet"));
  add(attachment, "volumeId", volume.disk->volume.text());
  add(attachment, "instanceId", instance.id.text());
  add(attachment, "device", volume.disk->device);
  add(attachment, "status", "attached");
  add_time(attachment, "attachTime", instance.launched_at);
  add_flag(attachment, "deleteOnTermination", volume.disk->delete_on_termination);
  add(item, "volumeType", "gp3");
  add_flag(item, "encrypted", false);
  add_flag(item, "multiAttachEnabled", false);
  add(item, "tagSet");
}

}  // namespace

Reply<> describe_volumes(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Volume>::read(call.parameters, kFilters, no_tags));
  const Page page = TRY(read_page(call.parameters));
  const std::vector<InstanceEntry> instances = TRY(find_instances(call, {}));
  std::vector<Volume> volumes;
  for (const InstanceEntry& instance : instances) {
    if (instance.observed.state == model::InstanceState::kTerminated) continue;
    for (const model::DiskWish& disk : instance.desired.disks) volumes.push_back({&instance, &disk});
  }
  const std::vector<std::string> ids = call.parameters.list("VolumeId");
  for (const std::string& text : ids) {
    const auto id = TRY(parse_id<model::VolumeId>(text, "Volume"));
    if (std::ranges::none_of(volumes, [&](const Volume& volume) { return volume.disk->volume == id; })) {
      return ApiError("InvalidVolume.NotFound", "The volume '" + text + "' does not exist.");
    }
  }
  std::erase_if(volumes, [&](const Volume& volume) {
    const bool named = ids.empty() || std::ranges::find(ids, volume.disk->volume.text()) != ids.end();
    return !named || !filters.pass(volume);
  });
  const auto id_of = [](const Volume& volume) { return volume.disk->volume.text(); };
  std::ranges::sort(volumes, {}, id_of);
  pugi::xml_node set = add(answer, "volumeSet");
  write_page(page, volumes, answer, id_of, [&](const Volume& volume) { write_volume(set, volume); });
  return {};
}

}  // namespace pileus::ec2
