#include "ec2/transfers/handlers.h"
#include "ec2/transfers/objects.h"
#include "ec2/transfers/write.h"

namespace pileus::ec2 {
namespace {

using model::TransferKind;

// What is over stays as it is.
Reply<control::TransferView> cancel(const Call& call, const std::vector<TransferKind>& kinds, const std::string& id) {
  control::TransferView before;
  const auto attempt = [&]() -> Reply<bool> {
    before = TRY(find_tasks(call, kinds, {id})).at(0);
    if (!before.active() || !before.desired.value.wanted) return true;
    model::TransferDesired desired = before.desired.value;
    desired.wanted = false;
    control::Change change;
    change.update(model::desired_key(desired.id), desired, before.desired.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  return before;
}

}  // namespace

Reply<> cancel_import_task(Call& call, pugi::xml_node answer) {
  const std::string& id = call.parameters.get("ImportTaskId");
  const control::TransferView before =
      TRY(cancel(call, {TransferKind::kImportImage, TransferKind::kImportSnapshot}, id));
  add(answer, "importTaskId", id);
  add(answer, "previousState", status_of(before));
  add(answer, "state", before.active() ? "deleting" : status_of(before));
  return {};
}

Reply<> cancel_export_task(Call& call, pugi::xml_node answer) {
  TRY(cancel(call, {TransferKind::kExportImage}, call.parameters.get("ExportTaskId")));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
