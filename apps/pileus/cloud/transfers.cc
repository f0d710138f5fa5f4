// image import, image export, image tasks: disks come into the cloud and go out of it.
#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/named.h"
#include "cloud/session.h"
#include "http/uri.h"
#include "os/file.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::milliseconds kPause{300};
constexpr const char* kBucket = "exports";
constexpr const char* kList = "pileus image tasks";
constexpr Kind kImports = {"import", "DescribeImportImageTasks", "importImageTaskSet", "importTaskId", kList};
constexpr Kind kExports = {"export", "DescribeExportImageTasks", "exportImageTaskSet", "exportImageTaskId", kList};

bool is_url(const std::string& text) { return text.find("://") != std::string::npos; }

// A file of this machine, as the host here is to read it.
Result<std::string> url_of(const std::string& file, const std::string& host) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(file, error);
  if (error) return Error::from_errno(file, error.value());
  std::string url = "file://" + host;
  for (const std::filesystem::path& part : path.relative_path()) url += "/" + http::encode_uri(part.string());
  return url;
}

// However long it takes: the task says how far it is.
Result<client::Node> wait_for_task(const client::Cloud& cloud, const Kind& kind, const std::string& id) {
  ProgressLine progress;
  const std::string prefix = id + ": ";
  while (true) {
    const client::Node task = TRY(find_object(cloud, kind, id));
    const std::string status = task.text("status");
    const std::string message = printable(task.text("statusMessage"));
    if (status == "completed") return task;
    if (status != "active") return Error(ErrorCode::kIo, std::string(kind.thing) + " has failed: " + message);
    progress.update(prefix + message, std::atof(task.text("progress").c_str()) / 100);
    std::this_thread::sleep_for(kPause);
  }
}

// Of this machine's host, if it has it.
std::optional<std::filesystem::path> exported_file(const image::Library& library, const std::string& key) {
  std::error_code ignored;
  const std::filesystem::path buckets = cloud_folder(library) / "host" / "buckets";
  for (const auto& account : std::filesystem::directory_iterator(buckets, ignored)) {
    std::filesystem::path file = account.path() / kBucket / key;
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return std::nullopt;
}

Result<> move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (!error) return {};
  std::filesystem::copy_file(from, to, error);
  if (error) return Error::from_errno("copy " + from.string() + " to " + to.string(), error.value());
  return os::remove_all(from);
}

std::string format_for(const CommandLine& line) {
  if (!line.volume.format.empty()) return line.volume.format;
  const std::string extension = std::filesystem::path(line.volume.file).extension().string();
  return extension == ".vmdk" || extension == ".vhd" ? extension.substr(1) : "raw";
}

}  // namespace

Result<int> cloud_image_import(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string& from = line.volume.file;
  client::Parameters parameters;
  parameters["DiskContainer.1.Url"] = is_url(from) ? from : TRY(url_of(from, line.volume.host));
  parameters["DiskContainer.1.Format"] = line.volume.format;
  parameters["Name"] = line.cloud.name;
  parameters["Description"] = line.cloud.text;
  const std::string id = TRY(cloud.call("ImportImage", parameters)).root.text("importTaskId");
  if (line.cloud.no_wait) {
    std::printf("%s\n", id.c_str());
    return 0;
  }
  const client::Node task = TRY(wait_for_task(cloud, kImports, id));
  std::printf("%s\n", task.text("imageId").c_str());
  return 0;
}

Result<int> cloud_image_export(image::Library& library, const CommandLine& line) {
  const std::string& to = line.volume.file;
  if (std::filesystem::exists(to)) return Error(ErrorCode::kExists, to + " is there already");
  const client::Cloud cloud = TRY(open_cloud(library));
  client::Parameters parameters;
  parameters["ImageId"] = TRY(find_object(cloud, kImages, line.name)).text("imageId");
  parameters["DiskImageFormat"] = format_for(line);
  parameters["S3ExportLocation.S3Bucket"] = kBucket;
  const std::string id = TRY(cloud.call("ExportImage", parameters)).root.text("exportImageTaskId");
  const client::Node task = TRY(wait_for_task(cloud, kExports, id));
  const std::string key = task.text("s3Key");
  const std::optional<std::filesystem::path> file = exported_file(library, key);
  if (!file) {
    std::printf("the host %s has it: %s in the bucket %s\n", task.text("hostId").c_str(), key.c_str(), kBucket);
    return 0;
  }
  TRY(move_file(*file, to));
  std::printf("%s\n", to.c_str());
  return 0;
}

Result<int> cloud_image_tasks(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"TASK", "STATE", "PROGRESS", "IMAGE", "MESSAGE"}};
  Json array = Json::array();
  for (const Kind* kind : {&kImports, &kExports}) {
    for (const client::Node& task : TRY(list_objects(cloud, *kind))) {
      const std::string id = task.text(kind->id);
      const std::string message = printable(task.text("statusMessage"));
      rows.push_back({id, task.text("status"), task.text("progress") + " %", task.text("imageId"), message});
      array.push_back({{"id", id},
                       {"state", task.text("status")},
                       {"progress", task.text("progress")},
                       {"image", task.text("imageId")},
                       {"message", task.text("statusMessage")}});
    }
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

}  // namespace pileus::cli
