// What is shown of tasks.
#include "ec2/filters.h"
#include "ec2/internal/letters.h"
#include "ec2/pages.h"
#include "ec2/transfers/handlers.h"
#include "ec2/transfers/objects.h"
#include "ec2/transfers/write.h"

namespace pileus::ec2 {
namespace {

using Task = control::TransferView;
using model::TransferKind;
using model::TransferState;

constexpr Filter<Task> kFilters[] = {
    {"task-state", [](const Task& task) { return Texts{std::string(status_of(task))}; }},
};
const model::Tags& tags_of(const Task& task) { return task.desired.value.tags; }
std::string id_of(const Task& task) { return task_id(task.desired.value.kind, task.desired.value.id); }

void write_progress(pugi::xml_node node, const Task& task) {
  add(node, "progress", std::to_string(task.observed.value.progress_percent));
  add(node, "status", status_of(task));
  add_if(node, "statusMessage", task.observed.value.message);
}

void write_place(pugi::xml_node node, const model::FilePlace& place) {
  add_if(node, "url", place.url);
  if (place.bucket.empty()) return;
  pugi::xml_node bucket = add(node, "userBucket");
  add(bucket, "s3Bucket", place.bucket);
  add(bucket, "s3Key", place.key);
}

// What is known of a disk's file when it is done; the snapshot is there when all are.
const model::ImportedDisk* done_of(const Task& task, std::size_t file) {
  const auto& disks = task.observed.value.disks;
  return file < disks.size() ? &disks[file] : nullptr;
}

void write_disk(pugi::xml_node node, const Task& task, const model::TransferDisk& disk,
                const model::ImportedDisk* done) {
  add_if(node, "description", disk.description);
  add_if(node, "deviceName", disk.device);
  if (done != nullptr) add(node, "diskImageSize", std::to_string(done->file_bytes) + ".0");
  add_if(node, "format", to_upper(disk.format));
  if (!disk.is_file() || task.observed.value.state == TransferState::kCompleted) {
    add(node, "snapshotId", disk.snapshot.text());
  }
  write_place(node, disk.from);
}

Reply<> describe(Call& call, pugi::xml_node set, pugi::xml_node answer, TransferKind kind, const std::string& ids,
                 void (*write)(pugi::xml_node, const Task&)) {
  const auto filters = TRY(FilterSet<Task>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters, 1));
  std::vector<Task> tasks = TRY(find_tasks(call, {kind}, call.parameters.list(ids)));
  std::erase_if(tasks, [&](const Task& task) { return !filters.pass(task); });
  write_page(page, tasks, answer, id_of, [&](const Task& task) { write(add_item(set), task); });
  return {};
}

}  // namespace

std::string_view status_of(const Task& task) {
  switch (task.observed.value.state) {
    case TransferState::kActive: return "active";
    case TransferState::kCompleted: return "completed";
    case TransferState::kFailed: break;
  }
  return task.desired.value.kind == TransferKind::kImportSnapshot ? "error" : "deleted";
}

void write_import_image(pugi::xml_node node, const Task& task) {
  const model::TransferDesired& desired = task.desired.value;
  add(node, "importTaskId", id_of(task));
  add(node, "architecture", "x86_64");
  add_if(node, "description", desired.description);
  add_flag(node, "encrypted", false);
  add(node, "hypervisor", "pileus");
  if (task.observed.value.state == TransferState::kCompleted) add(node, "imageId", desired.image.text());
  add(node, "platform", "Linux");
  write_progress(node, task);
  pugi::xml_node set = add(node, "snapshotDetailSet");
  std::size_t file = 0;
  for (const model::TransferDisk& disk : desired.disks) {
    const model::ImportedDisk* done = disk.is_file() ? done_of(task, file++) : nullptr;
    pugi::xml_node item = add_item(set);
    write_disk(item, task, disk, done);
    const bool complete = done != nullptr || !disk.is_file();
    add(item, "status", complete ? "completed" : status_of(task));
  }
  add(node, "usageOperation", "RunInstances");
  add_tags(node, desired.tags);
}

void write_import_snapshot(pugi::xml_node node, const Task& task) {
  const model::TransferDesired& desired = task.desired.value;
  add(node, "importTaskId", id_of(task));
  add_if(node, "description", desired.description);
  pugi::xml_node detail = add(node, "snapshotTaskDetail");
  write_disk(detail, task, desired.disks.at(0), done_of(task, 0));
  add_flag(detail, "encrypted", false);
  write_progress(detail, task);
  add_tags(node, desired.tags);
}

void write_export_image(pugi::xml_node node, const Task& task) {
  const model::TransferDesired& desired = task.desired.value;
  add(node, "exportImageTaskId", id_of(task));
  add_if(node, "description", desired.description);
  add(node, "diskImageFormat", to_upper(desired.format));
  add(node, "imageId", desired.image.text());
  write_progress(node, task);
  pugi::xml_node place = add(node, "s3ExportLocation");
  add(place, "s3Bucket", desired.to.bucket);
  add(place, "s3Prefix", desired.to.key.substr(0, desired.to.key.rfind(id_of(task))));
  // Not of EC2's: where the file is.
  add(node, "s3Key", desired.to.key);
  if (task.placed.exists()) add(node, "hostId", task.placed.value.host.text());
  add_tags(node, desired.tags);
}

Reply<> describe_import_image_tasks(Call& call, pugi::xml_node answer) {
  return describe(call, add(answer, "importImageTaskSet"), answer, TransferKind::kImportImage, "ImportTaskId",
                  write_import_image);
}

Reply<> describe_import_snapshot_tasks(Call& call, pugi::xml_node answer) {
  return describe(call, add(answer, "importSnapshotTaskSet"), answer, TransferKind::kImportSnapshot, "ImportTaskId",
                  write_import_snapshot);
}

Reply<> describe_export_image_tasks(Call& call, pugi::xml_node answer) {
  return describe(call, add(answer, "exportImageTaskSet"), answer, TransferKind::kExportImage, "ExportImageTaskId",
                  write_export_image);
}

}  // namespace pileus::ec2
