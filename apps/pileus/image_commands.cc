#include "image_commands.h"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cloud/commands.h"
#include "image/builder.h"
#include "interrupt.h"
#include "output.h"
#include "print_json.h"
#include "vmm/units.h"
#include "vms.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kCloudImage = "ami-";

Json to_json(const image::Library& library, const image::ImageInfo& info) {
  Json object = Json::parse(image::encode_image_info(info), nullptr, false);
  object["allocated_bytes"] = library.allocated_bytes(info.name);
  object["disk"] = library.disk_of(info.name).string();
  return object;
}

std::string mebibytes(u64 bytes) { return std::to_string(bytes / kMiB) + "M"; }

}  // namespace

Result<int> image_build(image::Library& library, const CommandLine& line) {
  const image::Recipe* recipe = image::find_recipe(line.name);
  if (recipe == nullptr) {
    std::string known;
    for (const image::Recipe& each : image::recipes()) known += " " + std::string(each.name);
    return Error(ErrorCode::kNotFound, "there is no recipe for '" + line.name + "'; there is:" + known);
  }
  if (library.find(line.name)) {
    std::printf("image %s is there already\n", line.name.c_str());
    return 0;
  }
  catch_interrupts();
  ProgressLine progress;
  image::BuildOptions options;
  options.name = line.name;
  options.allow_expired = line.allow_expired;
  options.cancelled = &interrupted();
  std::string what = "starting";
  double fraction = 0;
  options.progress = [&](std::string_view text, double done) {
    if (!text.empty()) {
      what = text;
      fraction = done;
    }
    progress.update("building " + line.name + ": " + what, fraction);
  };
  const image::ImageInfo info = TRY(image::build(library, *recipe, options));
  progress.clear();
  std::printf("image %s is built: %zu packages, %s on disk\n", info.name.c_str(), info.packages.size(),
              mebibytes(library.allocated_bytes(info.name)).c_str());
  return 0;
}

Result<int> image_list(image::Library& library, const CommandLine& line) {
  if (line.volume.of_cloud) return cloud_image_list(library, line);
  std::vector<std::vector<std::string>> rows = {{"NAME", "CREATED", "DISK", "ON DISK", "WHAT"}};
  Json array = Json::array();
  for (const image::ImageInfo& info : library.list()) {
    if (line.quiet) {
      std::printf("%s\n", info.name.c_str());
    } else if (line.json) {
      array.push_back(to_json(library, info));
    } else {
      rows.push_back({info.name, info.created, vmm::format_size(info.disk_bytes),
                      mebibytes(library.allocated_bytes(info.name)), info.description});
    }
  }
  if (line.json) print_json(array);
  if (!line.json && !line.quiet) print_table(rows);
  return 0;
}

Result<int> image_show(image::Library& library, const CommandLine& line) {
  if (line.name.starts_with(kCloudImage)) return cloud_image_show(library, line);
  const image::ImageInfo info = TRY(library.find(line.name));
  if (line.json) {
    print_json(to_json(library, info));
    return 0;
  }
  print_table({{"name", info.name},
               {"what", info.description},
               {"created", info.created},
               {"disk", vmm::format_size(info.disk_bytes)},
               {"on disk", mebibytes(library.allocated_bytes(info.name))},
               {"root", "UUID=" + info.root_uuid},
               {"user", info.login_user},
               {"packages", std::to_string(info.packages.size()) + " (--json lists them)"},
               {"file", library.disk_of(info.name).string()}});
  return 0;
}

Result<int> image_remove(image::Library& library, const CommandLine& line) {
  if (line.name.starts_with(kCloudImage)) return cloud_image_remove(library, line);
  TRY(library.find(line.name));
  std::string users;
  for (const VmEntry& vm : list_vms(library)) {
    // A VM may also have been made from the path of the image's disk.
    std::error_code ignored;  // then they are not the same file
    const bool same_file = std::filesystem::equivalent(vm.config.base_disk, library.disk_of(line.name), ignored);
    if (vm.config.image == line.name || same_file) users += " " + vm.config.name;
  }
  if (!users.empty()) {
    return Error(ErrorCode::kBusy,
                 "image " + line.name + " is used by these VMs:" + users + ": remove them first with `pileus vm rm`");
  }
  TRY(library.remove(line.name));
  return 0;
}

}  // namespace pileus::cli
