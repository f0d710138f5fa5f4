// volume: disks of the cloud that come and go at instances.
#include <cstdio>
#include <set>

#include "cloud/commands.h"
#include "cloud/named.h"
#include "cloud/session.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;

// The instance that has it; an element without texts when none has.
client::Node attachment_of(const client::Node& volume) {
  const std::vector<client::Node> all = volume.items("attachmentSet");
  return all.empty() ? client::Node() : all.front();
}

Json to_json(const client::Node& volume) {
  const client::Node attachment = attachment_of(volume);
  return {{"id", volume.text("volumeId")},         {"name", name_of(volume)},
          {"state", volume.text("status")},        {"size_gib", volume.text("size")},
          {"type", volume.text("volumeType")},     {"zone", volume.text("availabilityZone")},
          {"snapshot", volume.text("snapshotId")}, {"instance", attachment.text("instanceId")},
          {"device", attachment.text("device")},   {"attachment", attachment.text("status")},
          {"created", volume.text("createTime")}};
}

// The first of /dev/sdf to /dev/sdp that the instance does not have yet, as EC2 advises.
Result<std::string> free_device(const InstanceInfo& instance) {
  std::set<std::string> taken;
  for (const client::Node& disk : instance.node.items("blockDeviceMapping")) taken.insert(disk.text("deviceName"));
  for (char letter = 'f'; letter <= 'p'; ++letter) {
    std::string device = std::string("/dev/sd") + letter;
    if (!taken.contains(device)) return device;
  }
  return Error(ErrorCode::kExhausted, "all of /dev/sdf to /dev/sdp are taken: name a --device");
}

// The volume's id; one that an instance is letting go of, as one that has just been terminated may be, is waited for.
Result<std::string> find_let_go(const client::Cloud& cloud, const std::string& name) {
  const client::Node volume = TRY(find_object(cloud, kVolumes, name));
  const std::string id = volume.text("volumeId");
  if (attachment_of(volume).text("status") == "detaching") {
    TRY(wait_for(cloud, kVolumes, id, "status", "available", "error"));
  }
  return id;
}

Result<std::string> first_zone(const client::Cloud& cloud) {
  const client::Answer answer = TRY(cloud.call("DescribeAvailabilityZones", {}));
  const std::vector<client::Node> zones = answer.root.items("availabilityZoneInfo");
  if (zones.empty()) return Error(ErrorCode::kNotFound, "the cloud has no availability zone");
  return zones.front().text("zoneName");
}

}  // namespace

Result<int> volume_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"ID", "NAME", "STATE", "GIB", "INSTANCE", "DEVICE", "ZONE"}};
  Json array = Json::array();
  for (const client::Node& volume : TRY(list_objects(cloud, kVolumes))) {
    const client::Node attachment = attachment_of(volume);
    if (line.quiet) std::printf("%s\n", volume.text("volumeId").c_str());
    rows.push_back({volume.text("volumeId"), printable(name_of(volume)), volume.text("status"), volume.text("size"),
                    attachment.text("instanceId"), attachment.text("device"), volume.text("availabilityZone")});
    array.push_back(to_json(volume));
  }
  if (line.json) print_json(array);
  else if (!line.quiet) print_table(rows);
  return 0;
}

Result<int> volume_show(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const Json volume = to_json(TRY(find_object(cloud, kVolumes, line.name)));
  if (line.json) {
    print_json(volume);
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : volume.items()) rows.push_back({key, printable(value.get<std::string>())});
  print_table(rows);
  return 0;
}

Result<int> volume_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const VolumeOptions& wish = line.volume;
  client::Parameters parameters;
  parameters["AvailabilityZone"] = line.cloud.zone.empty() ? TRY(first_zone(cloud)) : line.cloud.zone;
  if (wish.size_gib == 0 && wish.from.empty()) {
    return Error(ErrorCode::kInvalid, "say how large the volume is, by --size, or what it begins as, by --from");
  }
  if (wish.size_gib != 0) parameters["Size"] = std::to_string(wish.size_gib);
  if (!wish.from.empty()) {
    parameters["SnapshotId"] = TRY(find_object(cloud, kSnapshots, wish.from)).text("snapshotId");
  }
  if (!line.name.empty()) {
    parameters["TagSpecification.1.ResourceType"] = "volume";
    parameters["TagSpecification.1.Tag.1.Key"] = "Name";
    parameters["TagSpecification.1.Tag.1.Value"] = line.name;
  }
  const client::Answer made = TRY(cloud.call("CreateVolume", parameters));
  std::printf("%s\n", made.root.text("volumeId").c_str());
  return 0;
}

Result<int> volume_attach(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string id = TRY(find_let_go(cloud, line.name));
  const InstanceInfo instance = TRY(find_instance(cloud, line.volume.instance));
  const std::string device = line.volume.device.empty() ? TRY(free_device(instance)) : line.volume.device;
  TRY(cloud.call("AttachVolume", {{"VolumeId", id}, {"InstanceId", instance.id}, {"Device", device}}));
  if (!line.cloud.no_wait) TRY(wait_for(cloud, kVolumes, id, "attachmentSet/item/status", "attached", "error"));
  std::printf("%s is %s of %s\n", id.c_str(), device.c_str(), instance.label().c_str());
  return 0;
}

Result<int> volume_detach(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string id = TRY(find_object(cloud, kVolumes, line.name)).text("volumeId");
  TRY(cloud.call("DetachVolume", {{"VolumeId", id}}));
  if (!line.cloud.no_wait) TRY(wait_for(cloud, kVolumes, id, "status", "available", "error"));
  return 0;
}

Result<int> volume_resize(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string id = TRY(find_object(cloud, kVolumes, line.name)).text("volumeId");
  TRY(cloud.call("ModifyVolume", {{"VolumeId", id}, {"Size", std::to_string(line.volume.size_gib)}}));
  return 0;
}

Result<int> volume_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  for (const std::string& name : line.cloud.names) {
    const std::string id = TRY(find_let_go(cloud, name));
    TRY(cloud.call("DeleteVolume", {{"VolumeId", id}}));
  }
  return 0;
}

}  // namespace pileus::cli
