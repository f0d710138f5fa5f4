// An image's root disk goes out as a file.
#include "ec2/images/objects.h"
#include "ec2/internal/letters.h"
#include "ec2/internal/once.h"
#include "ec2/snapshots/objects.h"
#include "ec2/tags/objects.h"
#include "ec2/transfers/handlers.h"
#include "ec2/transfers/objects.h"
#include "ec2/transfers/write.h"

namespace pileus::ec2 {
namespace {

using model::TransferKind;

// The file's name ends in the task's own id: nobody else's file is there.
Reply<> read_target(const Call& call, model::TransferDesired& task) {
  const Parameters& given = call.parameters;
  const std::string format = to_lower(given.get("DiskImageFormat"));
  if (format != "raw" && format != "vmdk" && format != "vhd") {
    return ApiError("InvalidParameterValue",
                    "Images are given as VMDK, VHD or RAW, not as '" + format.substr(0, 20) + "'");
  }
  task.format = format;
  task.to.bucket = given.get("S3ExportLocation.S3Bucket");
  const bool named = task.to.bucket.find(':') != std::string::npos;
  if (named) task.host = TRY(host_of_bucket(call, task.to.bucket));  // else any host may write it, which then has it
  TRY(check_bucket(task.to.bucket));
  task.to.key = given.get("S3ExportLocation.S3Prefix") + task_id(task.kind, task.id) + "." + format;
  return check_key(task.to.key);
}

Reply<> read_disk(const Call& call, control::Change& change, model::TransferDesired& task) {
  const Image image = TRY(launchable_image(call, call.parameters.get("ImageId")));
  task.image = image.desired.id;
  task.size_gib = image.observed.size_gib;
  if (image.of_library()) {
    task.image_name = image.desired.name;
    if (!image.observed.manifest.empty()) task.layers = {image.observed.manifest};
    return {};
  }
  const auto snapshot =
      TRY(control::read<model::SnapshotObserved>(call.store, model::observed_key(image.desired.snapshot)));
  if (!snapshot.exists()) {
    return ApiError("InvalidSnapshot.NotFound", "The snapshot of the image's root disk was deleted");
  }
  change.expect(model::observed_key(image.desired.snapshot), snapshot.revision);
  task.layers = snapshot.value.layers;
  return {};
}

}  // namespace

Reply<> export_image(Call& call, pugi::xml_node answer) {
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    model::TransferDesired task;
    task.id = model::TransferId::random();
    task.account = call.account.id;
    task.kind = TransferKind::kExportImage;
    task.description = call.parameters.get("Description");
    task.created_at = call.clock.now();
    task.tags = TRY(tags_for(call.parameters, "export-image-task"));
    TRY(read_target(call, task));
    TRY(read_disk(call, change, task));
    add_task(call, change, task);
    return task_id(task.kind, task.id);
  };
  const std::string id = TRY(make_once(call, "ExportImage", make));
  write_export_image(answer, TRY(find_tasks(call, {TransferKind::kExportImage}, {id})).at(0));
  return {};
}

}  // namespace pileus::ec2
