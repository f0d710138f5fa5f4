// Disks come in and become snapshots, and an image of them.
#include <algorithm>

#include "ec2/images/objects.h"
#include "ec2/internal/letters.h"
#include "ec2/internal/once.h"
#include "ec2/quota.h"
#include "ec2/snapshots/objects.h"
#include "ec2/tags/objects.h"
#include "ec2/transfers/handlers.h"
#include "ec2/transfers/objects.h"
#include "ec2/transfers/write.h"
#include "ec2/volumes/objects.h"

namespace pileus::ec2 {
namespace {

using model::TransferKind;
constexpr std::size_t kMostDisks = 26;

Reply<std::string> read_format(const Parameters& container) {
  std::string format = to_lower(container.get("Format"));
  constexpr std::string_view kFormats[] = {"", "raw", "vmdk", "vhd", "vpc", "qcow2"};
  if (std::ranges::find(kFormats, format) != std::end(kFormats)) return format;
  return ApiError("InvalidParameterValue",
                  "Disks are taken as raw, vmdk, vhd or qcow2, not as '" + format.substr(0, 20) + "'");
}

Reply<model::TransferDesired> new_import(const Call& call, TransferKind kind) {
  const Parameters& given = call.parameters;
  TRY(refuse_unsupported(given));
  model::TransferDesired task;
  task.id = model::TransferId::random();
  task.account = call.account.id;
  task.kind = kind;
  task.description = given.get("Description");
  task.trusted = call.account.administrator;
  task.created_at = call.clock.now();
  const bool image = kind == TransferKind::kImportImage;
  task.tags = TRY(tags_for(given, image ? "import-image-task" : "import-snapshot-task"));
  task.snapshot_tags = TRY(tags_for(given, "snapshot"));
  return task;
}

// A disk that is a file, and the host that has to have it.
Reply<> add_file(const Call& call, const Parameters& container, model::TransferDesired& task) {
  model::TransferDisk& disk = task.disks.emplace_back();
  disk.description = container.get("Description");
  disk.device = container.get("DeviceName");
  disk.format = TRY(read_format(container));
  NamedFile file = TRY(read_source(call, container));
  disk.from = std::move(file.place);
  disk.snapshot = model::SnapshotId::random();
  if (file.host && task.host && file.host != task.host) {
    return ApiError("InvalidParameterCombination", "The disks of an image are files of one host");
  }
  if (file.host) task.host = file.host;
  return {};
}

// "/dev/xvda" for the root, "/dev/xvdb" for the next, unless they say others.
Reply<> name_devices(model::TransferDesired& task) {
  std::set<std::string> names;
  char letter = 'a';
  for (model::TransferDisk& disk : task.disks) {
    if (disk.device.empty()) disk.device = std::string("/dev/xvd") + letter;
    ++letter;
    if (!names.insert(disk.device).second) {
      return ApiError("InvalidParameterValue", "Two disks have the device name " + disk.device.substr(0, 40));
    }
  }
  return {};
}

Reply<> check_image(const Parameters& given) {
  const std::string& architecture = given.get("Architecture");
  if (!architecture.empty() && architecture != "x86_64") {
    return ApiError("UnsupportedOperation", "The machines of this cloud are x86_64");
  }
  if (given.get("BootMode") == "uefi") {
    return ApiError("UnsupportedOperation", "The machines of this cloud have no UEFI firmware");
  }
  return {};
}

Reply<model::TransferDesired> read_image(const Call& call, control::Change& change) {
  TRY(check_image(call.parameters));
  model::TransferDesired task = TRY(new_import(call, TransferKind::kImportImage));
  const std::vector<Parameters> containers = call.parameters.structures("DiskContainer");
  if (containers.empty()) return ApiError("MissingParameter", "The request must contain a DiskContainer");
  if (containers.size() > kMostDisks) return ApiError("InvalidParameterValue", "An image has up to 26 disks");
  for (const Parameters& container : containers) {
    if (!container.has("SnapshotId")) {
      TRY(add_file(call, container, task));
      continue;
    }
    const SnapshotEntry snapshot = TRY(own_snapshot(call, container.get("SnapshotId")));
    TRY(usable_snapshot(call, container.get("SnapshotId")));
    change.expect(state::Compare::exists(model::desired_key(snapshot.desired.id)));
    model::TransferDisk& disk = task.disks.emplace_back();
    disk.device = container.get("DeviceName");
    disk.snapshot = snapshot.desired.id;
  }
  TRY(name_devices(task));
  task.image = model::ImageId::random();
  task.image_name = call.parameters.has("Name") ? call.parameters.get("Name") : task_id(task.kind, task.id);
  TRY(claim_image_name(call, change, task.image_name, task.image));
  return task;
}

// The task that was made, now or by an earlier request with the same token.
Reply<control::TransferView> make_task(const Call& call, std::string_view action, TransferKind kind, const Make& make) {
  const std::string id = TRY(make_once(call, action, make));
  return TRY(find_tasks(call, {kind}, {id})).at(0);
}

}  // namespace

Reply<> import_image(Call& call, pugi::xml_node answer) {
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    const model::TransferDesired task = TRY(read_image(call, change));
    TRY(claim_snapshots(call, change, control::new_snapshots(task)));
    add_task(call, change, task);
    return task_id(task.kind, task.id);
  };
  write_import_image(answer, TRY(make_task(call, "ImportImage", TransferKind::kImportImage, make)));
  return {};
}

Reply<> import_snapshot(Call& call, pugi::xml_node answer) {
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    model::TransferDesired task = TRY(new_import(call, TransferKind::kImportSnapshot));
    TRY(add_file(call, call.parameters.below("DiskContainer"), task));
    if (task.disks[0].description.empty()) task.disks[0].description = task.description;
    TRY(claim_snapshots(call, change, control::new_snapshots(task)));
    add_task(call, change, task);
    return task_id(task.kind, task.id);
  };
  write_import_snapshot(answer, TRY(make_task(call, "ImportSnapshot", TransferKind::kImportSnapshot, make)));
  return {};
}

}  // namespace pileus::ec2
