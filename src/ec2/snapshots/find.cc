#include <algorithm>

#include "ec2/snapshots/objects.h"

namespace pileus::ec2 {
namespace {

bool may_use(const model::SnapshotDesired& snapshot, const model::AccountId& account) {
  if (!snapshot.clones.empty()) return false;
  return snapshot.account == account || snapshot.is_public ||
         std::ranges::find(snapshot.accounts, account) != snapshot.accounts.end();
}

ApiError not_found(const std::string& text) {
  return {"InvalidSnapshot.NotFound", "The snapshot '" + text.substr(0, 40) + "' does not exist."};
}

Reply<model::SnapshotId> read_id(const std::string& text) {
  const Result<model::SnapshotId> id = model::SnapshotId::parse(text);
  if (id) return *id;
  if (id.error().code() == ErrorCode::kNotFound) return not_found(text);
  return ApiError("InvalidSnapshotID.Malformed", "Invalid id: \"" + text.substr(0, 40) + "\"");
}

}  // namespace

Reply<std::vector<SnapshotEntry>> find_snapshots(const Call& call, const std::vector<std::string>& ids) {
  std::map<model::SnapshotId, std::string> wanted;
  for (const std::string& text : ids) wanted.emplace(TRY(read_id(text)), text);
  std::vector<SnapshotEntry> entries;
  const auto add = [&](const control::SnapshotView& view) {
    entries.push_back({view.desired.value, view.observed.value, view.desired.revision});
  };
  std::string missing;
  TRY(call.catalogue.read([&](const control::View& view) {
    const auto usable = [&](const control::SnapshotView* snapshot) {
      return snapshot != nullptr && snapshot->desired.exists() && may_use(snapshot->desired.value, call.account.id);
    };
    if (wanted.empty()) {
      for (const auto& [id, snapshot] : view.disks().snapshots()) {
        if (usable(&snapshot)) add(snapshot);
      }
    }
    for (const auto& [id, text] : wanted) {
      const control::SnapshotView* snapshot = view.disks().find(id);
      if (usable(snapshot)) add(*snapshot);
      else if (missing.empty()) missing = text;
    }
  }));
  if (!missing.empty()) return not_found(missing);
  return entries;
}

Reply<SnapshotEntry> usable_snapshot(const Call& call, const std::string& id) {
  SnapshotEntry entry = TRY(find_snapshots(call, {id})).at(0);
  if (entry.observed.state == model::SnapshotState::kCompleted) return entry;
  return ApiError("IncorrectState",
                  "Snapshot '" + id + "' is not completed: it is " + std::string(model::name(entry.observed.state)));
}

Reply<SnapshotEntry> own_snapshot(const Call& call, const std::string& id) {
  SnapshotEntry entry = TRY(find_snapshots(call, {id})).at(0);
  if (entry.desired.account == call.account.id) return entry;
  return ApiError("AuthFailure", "Not authorized for the snapshot '" + id + "': it is another account's", 403);
}

}  // namespace pileus::ec2
