#include "control/transfer_reports.h"

#include "model/image.h"

namespace pileus::control {
namespace {

constexpr int kTries = 8;
constexpr u64 kGiB = u64{1} << 30;
constexpr std::string_view kUnfinished = "an import is completed with all of its disks";

u64 gib_of(u64 bytes) { return bytes / kGiB + (bytes % kGiB != 0 ? 1 : 0); }  // a host may say any number

std::string told_name(const model::TransferDesired& desired) {
  return desired.kind == model::TransferKind::kImportImage ? desired.image.text() : desired.id.text();
}

void add_snapshot(Change& change, const model::TransferDesired& desired, const model::TransferDisk& disk,
                  const model::ImportedDisk& imported, model::Millis now) {
  model::SnapshotDesired snapshot;
  snapshot.id = disk.snapshot;
  snapshot.account = desired.account;
  snapshot.size_gib = gib_of(imported.bytes);
  snapshot.description = disk.description.empty() ? "Imported for " + told_name(desired) : disk.description;
  snapshot.started_at = desired.created_at;
  snapshot.tags = desired.snapshot_tags;
  if (desired.kind == model::TransferKind::kImportSnapshot) snapshot.tags = desired.tags;
  model::SnapshotObserved observed;
  observed.id = snapshot.id;
  observed.state = model::SnapshotState::kCompleted;
  observed.progress_percent = 100;
  observed.layers = {imported.layer};
  change.update(model::desired_key(snapshot.id), snapshot, 0);
  change.update(model::observed_key(snapshot.id), observed, 0);
  model::EventLog log;
  model::append(log, {now, "import", "imported", disk.from.url});
  change.put(model::events_key(snapshot.id), model::encode(log));
}

// Its disks' sizes are those of the snapshots, some of which may have been there before.
Result<u64> size_of(state::Store& store, Change& change, model::SnapshotId id) {
  const auto snapshot = TRY(read<model::SnapshotDesired>(store, model::desired_key(id)));
  if (!snapshot.exists()) return Error(ErrorCode::kGone, "the snapshot " + id.text() + " was deleted meanwhile");
  change.expect(model::desired_key(id), snapshot.revision);
  return snapshot.value.size_gib;
}

Result<> add_image(state::Store& store, Change& change, const model::TransferDesired& desired,
                   const model::TransferObserved& told, model::Millis now) {
  model::ImageDesired image;
  image.id = desired.image;
  image.owner = desired.account;
  image.name = desired.image_name;
  image.description = desired.description;
  image.created_at = now;
  image.tags = desired.tags;
  std::size_t next = 0;
  for (const model::TransferDisk& disk : desired.disks) {
    model::ImageDisk& made = image.disks.emplace_back();
    made.device = disk.device;
    made.snapshot = disk.snapshot;
    if (disk.is_file()) made.size_gib = gib_of(told.disks[next++].bytes);
    else made.size_gib = TRY(size_of(store, change, disk.snapshot));
  }
  image.root_device = image.disks.at(0).device;
  image.snapshot = image.disks.at(0).snapshot;
  model::ImageObserved observed;
  observed.id = image.id;
  observed.state = model::ImageState::kAvailable;
  observed.size_gib = image.disks.at(0).size_gib;
  change.update(model::desired_key(image.id), image, 0);
  change.update(model::observed_key(image.id), observed, 0);
  model::EventLog log;
  model::append(log, {now, "import", "imported", desired.id.text()});
  change.put(model::events_key(image.id), model::encode(log));
  return {};
}

Result<> add_made(state::Store& store, Change& change, const model::TransferDesired& desired,
                  const model::TransferObserved& told, model::Millis now) {
  if (desired.kind == model::TransferKind::kExportImage) return {};
  std::size_t next = 0;
  for (const model::TransferDisk& disk : desired.disks) {
    if (!disk.is_file()) continue;
    if (next == told.disks.size()) return Error(ErrorCode::kInvalid, std::string(kUnfinished));
    add_snapshot(change, desired, disk, told.disks[next++], now);
  }
  if (next != told.disks.size()) return Error(ErrorCode::kInvalid, std::string(kUnfinished));
  if (desired.kind == model::TransferKind::kImportImage) TRY(add_image(store, change, desired, told, now));
  return {};
}

Result<TransferView> read_transfer(state::Store& store, model::TransferId id) {
  TransferView transfer;
  transfer.desired = TRY(read<model::TransferDesired>(store, model::desired_key(id)));
  transfer.placed = TRY(read<model::TransferPlaced>(store, model::placed_key(id)));
  transfer.observed = TRY(read<model::TransferObserved>(store, model::observed_key(id)));
  return transfer;
}

Result<bool> try_observe(state::Store& store, const Clock& clock, model::HostId host,
                         const model::TransferObserved& told) {
  const TransferView transfer = TRY(read_transfer(store, told.id));
  model::TransferObserved next = told;
  next.changed_at = transfer.observed.value.changed_at;
  if (transfer.observed.exists() && transfer.observed.value == next) return true;  // said twice
  const model::TransferDesired& desired = transfer.desired.value;
  if (!host || !transfer.active() || !desired.wanted || transfer.placed.value.host != host) {
    return Error(ErrorCode::kNotFound, "nobody waits for transfer " + told.id.text() + " of this host");
  }
  next.changed_at = clock.now();
  Change change;
  change.expect(model::desired_key(told.id), transfer.desired.revision);
  change.expect(model::placed_key(told.id), transfer.placed.revision);
  if (next.state == model::TransferState::kFailed) {
    TRY(fail_transfer(change, clock, transfer, next.message));
    return TRY(change.commit(store)).has_value();
  }
  if (next.state == model::TransferState::kCompleted) {
    const Result<> made = add_made(store, change, desired, next, next.changed_at);
    if (!made && made.error().code() == ErrorCode::kGone) {
      Change failed;
      TRY(fail_transfer(failed, clock, transfer, made.error().message()));
      return TRY(failed.commit(store)).has_value();
    }
    TRY(made);
    next.progress_percent = 100;
    next.message.clear();
  }
  change.update(model::observed_key(told.id), next, transfer.observed.revision);
  return TRY(change.commit(store)).has_value();
}

}  // namespace

Result<> observe_transfer(state::Store& store, const Clock& clock, model::HostId host,
                          const model::TransferObserved& told) {
  for (int i = 0; i < kTries; ++i) {
    if (TRY(try_observe(store, clock, host, told))) return {};
  }
  return Error(ErrorCode::kBusy, "transfer " + told.id.text() + " is being changed by others: try again");
}

Result<> fail_transfer(Change& change, const Clock& clock, const TransferView& transfer, const std::string& why) {
  const model::TransferDesired& desired = transfer.desired.value;
  model::TransferObserved observed = transfer.observed.value;
  TRY(model::apply_move(observed.state, model::TransferState::kFailed));
  observed.message = why;
  observed.disks.clear();
  observed.changed_at = clock.now();
  change.update(model::observed_key(desired.id), observed, transfer.observed.revision);
  if (desired.kind == model::TransferKind::kImportImage) {
    change.erase(state::KeyRange::key(model::image_name_key(desired.account, desired.image_name)));
  }
  return {};
}

}  // namespace pileus::control
