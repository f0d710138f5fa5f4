// snapshot, and images of the cloud: what volumes and instances were at a moment.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/named.h"
#include "cloud/session.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;

Json snapshot_json(const client::Node& snapshot) {
  return {{"id", snapshot.text("snapshotId")},
          {"name", name_of(snapshot)},
          {"state", snapshot.text("status")},
          {"progress", snapshot.text("progress")},
          {"size_gib", snapshot.text("volumeSize")},
          {"volume", snapshot.text("volumeId")},
          {"description", snapshot.text("description")},
          {"started", snapshot.text("startTime")}};
}

Json image_json(const client::Node& image) {
  return {{"id", image.text("imageId")},          {"name", image.text("name")},
          {"state", image.text("imageState")},    {"reason", image.text("stateReason/message")},
          {"owner", image.text("imageOwnerId")},  {"description", image.text("description")},
          {"created", image.text("creationDate")}};
}

}  // namespace

Result<int> snapshot_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"ID", "NAME", "STATE", "GIB", "VOLUME", "STARTED", "WHAT"}};
  Json array = Json::array();
  for (const client::Node& snapshot : TRY(list_objects(cloud, kSnapshots, {{"Owner.1", "self"}}))) {
    if (line.quiet) std::printf("%s\n", snapshot.text("snapshotId").c_str());
    rows.push_back({snapshot.text("snapshotId"), printable(name_of(snapshot)),
                    snapshot.text("status") + " " + snapshot.text("progress"), snapshot.text("volumeSize"),
                    snapshot.text("volumeId"), snapshot.text("startTime"), printable(snapshot.text("description"))});
    array.push_back(snapshot_json(snapshot));
  }
  if (line.json) print_json(array);
  else if (!line.quiet) print_table(rows);
  return 0;
}

Result<int> snapshot_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  client::Parameters parameters;
  parameters["VolumeId"] = TRY(find_object(cloud, kVolumes, line.name)).text("volumeId");
  if (!line.cloud.text.empty()) parameters["Description"] = line.cloud.text;
  if (!line.cloud.name.empty()) {
    parameters["TagSpecification.1.ResourceType"] = "snapshot";
    parameters["TagSpecification.1.Tag.1.Key"] = "Name";
    parameters["TagSpecification.1.Tag.1.Value"] = line.cloud.name;
  }
  const std::string id = TRY(cloud.call("CreateSnapshot", parameters)).root.text("snapshotId");
  if (!line.cloud.no_wait) TRY(wait_for(cloud, kSnapshots, id, "status", "completed", "error"));
  std::printf("%s\n", id.c_str());
  return 0;
}

Result<int> snapshot_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  for (const std::string& name : line.cloud.names) {
    const client::Node snapshot = TRY(find_object(cloud, kSnapshots, name));
    TRY(cloud.call("DeleteSnapshot", {{"SnapshotId", snapshot.text("snapshotId")}}));
  }
  return 0;
}

Result<int> cloud_image_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo instance = TRY(find_instance(cloud, line.volume.instance));
  client::Parameters parameters = {{"InstanceId", instance.id}, {"Name", line.name}};
  if (!line.cloud.text.empty()) parameters["Description"] = line.cloud.text;
  if (line.volume.no_reboot) parameters["NoReboot"] = "true";
  const std::string id = TRY(cloud.call("CreateImage", parameters)).root.text("imageId");
  if (!line.cloud.no_wait) TRY(wait_for(cloud, kImages, id, "imageState", "available", "failed"));
  std::printf("%s\n", id.c_str());
  return 0;
}

Result<int> cloud_image_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"ID", "NAME", "STATE", "CREATED", "WHAT"}};
  Json array = Json::array();
  for (const client::Node& image : TRY(list_objects(cloud, kImages))) {
    if (line.quiet) std::printf("%s\n", image.text("imageId").c_str());
    rows.push_back({image.text("imageId"), printable(image.text("name")), image.text("imageState"),
                    image.text("creationDate"), printable(image.text("description"))});
    array.push_back(image_json(image));
  }
  if (line.json) print_json(array);
  else if (!line.quiet) print_table(rows);
  return 0;
}

Result<int> cloud_image_show(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const Json image = image_json(TRY(find_object(cloud, kImages, line.name)));
  if (line.json) {
    print_json(image);
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : image.items()) rows.push_back({key, printable(value.get<std::string>())});
  print_table(rows);
  return 0;
}

Result<int> cloud_image_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("DeregisterImage", {{"ImageId", line.name}}));
  return 0;
}

}  // namespace pileus::cli
