#include "control/transfer_controller.h"

#include <algorithm>

#include "control/transfer_reports.h"

namespace pileus::control {
namespace {

bool is_in_cloud(const HostView* host) {
  return host != nullptr && host->desired.exists() && host->desired.value.mode != model::HostMode::kRetired;
}

bool is_reachable(const HostView* host) {
  return is_in_cloud(host) && host->health.exists() && host->health.value.state == model::HostState::kReady;
}

bool has_disk(const HostView& host, const model::TransferDesired& desired) {
  const auto& layers = host.layers.value.layers;
  const auto holds = [&](const std::string& layer) { return std::ranges::binary_search(layers, layer); };
  if (!desired.layers.empty()) return std::ranges::all_of(desired.layers, holds);
  return std::ranges::count(host.observed.value.images, desired.image) != 0;
}

// How many transfers each host has.
std::map<model::HostId, u32> loads(const View& view) {
  std::map<model::HostId, u32> counts;
  for (const model::TransferId id : view.disks().active_transfers()) {
    const TransferView& transfer = *view.disks().find(id);
    if (transfer.placed.exists()) ++counts[transfer.placed.value.host];
  }
  return counts;
}

model::HostId best_host(const View& view, const model::TransferDesired& desired) {
  const std::map<model::HostId, u32> counts = loads(view);
  const bool exports = desired.kind == model::TransferKind::kExportImage;
  model::HostId best;
  std::pair<bool, u32> best_rank;  // whether it lacks the disk, how much it has to do
  for (const auto& [id, host] : view.hosts()) {
    if (!is_reachable(&host) || host.desired.value.mode != model::HostMode::kActive) continue;
    const bool lacks = exports && !has_disk(host, desired);
    // Only a host that has an image of the library by its file alone can export it.
    if (lacks && desired.layers.empty()) continue;
    const auto count = counts.find(id);
    const std::pair<bool, u32> rank{lacks, count == counts.end() ? 0 : count->second};
    if (best && rank >= best_rank) continue;
    best = id;
    best_rank = rank;
  }
  return best;
}

}  // namespace

Result<u32> TransferController::run_once() {
  std::vector<Plan> todo;
  TRY(view_->read([&](View& view) { todo = plans(view); }));
  u32 done = 0;
  for (const Plan& plan : todo) {
    if (TRY(act(plan))) ++done;
  }
  return done;
}

std::vector<TransferController::Plan> TransferController::plans(const View& view) const {
  std::vector<Plan> plans;
  for (const auto& [id, transfer] : view.disks().transfers()) {
    if (!transfer.desired.exists() || !transfer.observed.exists()) continue;
    Plan plan;
    plan.transfer = transfer;
    const model::TransferDesired& desired = transfer.desired.value;
    if (!transfer.active()) {
      plan.forget = transfer.observed.value.changed_at + kTransferLife <= clock_.now();
      if (plan.forget) plans.push_back(std::move(plan));
      continue;
    }
    if (!desired.wanted) {
      plan.failure = "it was cancelled";
    } else if (desired.host && !is_in_cloud(view.find(desired.host))) {
      plan.failure = "the host " + desired.host.text() + ", which has the file, is not in the cloud any more";
    } else if (!transfer.placed.exists() || !is_reachable(view.find(transfer.placed.value.host))) {
      plan.host = desired.host ? desired.host : best_host(view, desired);
      if (!is_reachable(view.find(plan.host))) plan.host = {};
      if (!plan.host) plan.waits = "waits for a host that can do it";
    } else {
      continue;
    }
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<bool> TransferController::act(const Plan& plan) {
  const model::TransferId id = plan.transfer.desired.value.id;
  Change change;
  change.expect(model::desired_key(id), plan.transfer.desired.revision);
  if (plan.forget) {
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kTransfer, id.text(), "")));
    return TRY(change.commit(store_)).has_value();
  }
  if (!plan.failure.empty()) {
    TRY(fail_transfer(change, clock_, plan.transfer, plan.failure));
    return TRY(change.commit(store_)).has_value();
  }
  return plan.host ? place(plan.transfer, plan.host) : say(plan.transfer, plan.waits);
}

Result<bool> TransferController::place(const TransferView& transfer, model::HostId host) {
  const model::TransferId id = transfer.desired.value.id;
  if (transfer.placed.exists() && transfer.placed.value.host == host) return false;
  Change change;
  change.expect(model::desired_key(id), transfer.desired.revision);
  change.update(model::placed_key(id), model::TransferPlaced{id, host, clock_.now()}, transfer.placed.revision);
  model::TransferObserved observed = transfer.observed.value;
  observed.disks.clear();  // their layers are on the host that had it before
  observed.progress_percent = 0;
  observed.message = "begins";
  observed.changed_at = clock_.now();
  change.update(model::observed_key(id), observed, transfer.observed.revision);
  return TRY(change.commit(store_)).has_value();
}

Result<bool> TransferController::say(const TransferView& transfer, const std::string& message) {
  const model::TransferId id = transfer.desired.value.id;
  model::TransferObserved observed = transfer.observed.value;
  if (observed.message == message) return false;
  observed.message = message;
  observed.changed_at = clock_.now();
  Change change;
  change.expect(model::placed_key(id), transfer.placed.revision);
  change.update(model::observed_key(id), observed, transfer.observed.revision);
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
