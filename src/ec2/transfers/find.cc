#include <algorithm>
#include <array>

#include "ec2/transfers/objects.h"

namespace pileus::ec2 {
namespace {

using model::TransferKind;
constexpr std::string_view kOwnPrefix = "transfer";

std::string_view prefix_of(TransferKind kind) {
  static constexpr std::array<std::string_view, 3> kPrefixes = {"import-ami", "import-snap", "export-ami"};
  return kPrefixes[static_cast<std::size_t>(kind)];
}

ApiError not_found(TransferKind kind, const std::string& id) {
  const std::string text = "The task '" + id.substr(0, 60) + "' does not exist";
  if (kind == TransferKind::kExportImage) return {"InvalidExportTaskID.NotFound", text};
  return {"InvalidConversionTaskId", text};
}

Reply<model::TransferId> parse_task_id(const std::vector<TransferKind>& kinds, const std::string& text) {
  for (const TransferKind kind : kinds) {
    const std::string_view prefix = prefix_of(kind);
    if (!text.starts_with(prefix)) continue;
    const auto id = model::TransferId::parse(std::string(kOwnPrefix) + text.substr(prefix.size()));
    if (id) return *id;
  }
  return not_found(kinds.front(), text);
}

}  // namespace

std::string task_id(TransferKind kind, model::TransferId id) {
  return std::string(prefix_of(kind)) + id.text().substr(kOwnPrefix.size());
}

Reply<std::vector<control::TransferView>> find_tasks(const Call& call, const std::vector<TransferKind>& kinds,
                                                     const std::vector<std::string>& ids) {
  std::vector<control::TransferView> tasks;
  TRY(call.catalogue.read([&](const control::View& view) {
    for (const auto& [id, task] : view.disks().transfers()) {
      const model::TransferDesired& desired = task.desired.value;
      const bool of_kind = std::ranges::find(kinds, desired.kind) != kinds.end();
      if (task.desired.exists() && of_kind && desired.account == call.account.id) tasks.push_back(task);
    }
  }));
  if (ids.empty()) return tasks;
  std::set<model::TransferId> wanted;
  for (const std::string& text : ids) {
    const model::TransferId id = TRY(parse_task_id(kinds, text));
    const auto is_it = [&](const control::TransferView& task) { return task.desired.value.id == id; };
    if (std::ranges::none_of(tasks, is_it)) return not_found(kinds.front(), text);
    wanted.insert(id);
  }
  std::erase_if(tasks, [&](const control::TransferView& task) { return !wanted.contains(task.desired.value.id); });
  return tasks;
}

void add_task(const Call& call, control::Change& change, const model::TransferDesired& desired) {
  model::TransferObserved observed;
  observed.id = desired.id;
  observed.message = "pending";
  observed.changed_at = call.clock.now();
  change.update(model::desired_key(desired.id), desired, 0);
  change.update(model::observed_key(desired.id), observed, 0);
}

}  // namespace pileus::ec2
