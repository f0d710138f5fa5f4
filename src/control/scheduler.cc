#include "control/scheduler.h"

#include "model/account.h"

namespace pileus::control {
namespace {

bool wants_host(const InstanceView& instance) {
  return instance.desired.exists() && instance.observed.exists() && !instance.placed.exists() &&
         instance.desired.value.power == model::Power::kRunning &&
         instance.observed.value.state == model::InstanceState::kPending;
}

placement::Request request_of(const model::InstanceDesired& desired) {
  placement::Request request;
  request.takes = desired.takes;
  request.zone = desired.wish.zone;
  request.engine = desired.wish.engine;
  request.cpu_model = desired.wish.cpu_model;
  request.image = desired.image;
  request.host = desired.wish.host;
  return request;
}

}  // namespace

Scheduler::Scheduler(state::Store& store, const Clock& clock, placement::Policy policy, std::string name)
    : store_(store), clock_(clock), policy_(policy), name_(std::move(name)), view_(store) {}

Result<u32> Scheduler::run_once() {
  TRY(view_.sync());
  std::vector<model::InstanceId> waiting;
  for (const auto& [id, instance] : view_.instances()) {
    if (wants_host(instance)) waiting.push_back(id);
  }
  u32 done = 0;
  for (const model::InstanceId id : waiting) {
    // Each lag means that somebody else got on; a few in a row are left to the next run.
    constexpr int kTries = 4;
    for (int i = 0; i < kTries; i++) {
      const auto found = view_.instances().find(id);
      if (found == view_.instances().end() || !wants_host(found->second)) break;
      const Outcome outcome = TRY(schedule(InstanceView(found->second)));
      if (outcome != Outcome::kLagged) {
        done++;
        break;
      }
      policy_.salt++;
      TRY(view_.sync());
    }
  }
  return done;
}

Result<Scheduler::Outcome> Scheduler::schedule(const InstanceView& instance) {
  const model::InstanceDesired& desired = instance.desired.value;
  placement::Request request = request_of(desired);
  state::Revision turn = 0;
  if (desired.wish.group) {
    const auto group = TRY(read<model::PlacementGroup>(store_, model::desired_key(desired.wish.group)));
    if (!group.exists()) return refuse(instance, "placement group " + desired.wish.group.text() + " does not exist");
    const auto entry = TRY(store_.get(model::group_turn_key(desired.wish.group)));
    if (entry) turn = entry->mod_revision;
    // Whoever had the turn before us: his choice has to be in view, or ours would not know of it.
    if (turn > view_.revision()) TRY(view_.sync());
    if (turn > view_.revision()) return Outcome::kLagged;
    request.group = {group.value.id, group.value.strategy, group.value.spread_level, group.value.partitions,
                     desired.wish.partition};
  }
  const placement::Decision decision = placement::decide(view_.inventory(), request, policy_);
  if (!decision.placed()) {
    // Not before we know the latest: room may have come back.
    const state::Revision seen = view_.revision();
    TRY(view_.sync());
    if (view_.revision() != seen) return Outcome::kLagged;
    return refuse(instance, placement::why_nothing(request, decision));
  }
  return place(instance, request, decision, turn);
}

Result<Scheduler::Outcome> Scheduler::place(const InstanceView& instance, const placement::Request& request,
                                            const placement::Decision& decision, state::Revision group_turn) {
  const model::InstanceDesired& desired = instance.desired.value;
  const model::HostId host_id = view_.inventory().id(decision.chosen.host);
  const HostView& host = view_.hosts().at(host_id);
  const model::Millis now = clock_.now();

  model::InstancePlaced placed;
  placed.id = desired.id;
  placed.host = host_id;
  placed.takes = desired.takes;
  placed.group = desired.wish.group;
  placed.partition = decision.partition;
  placed.epoch = instance.observed.value.epoch + 1;
  placed.placed_at = now;
  placed.why = placement::explain(view_.inventory(), request, decision);

  model::HostClaims claims = host.claims.value;
  claims.id = host_id;
  claims.claimed += placed.takes;
  claims.instances++;

  Change change;
  change.expect(model::desired_key(desired.id), instance.desired.revision);
  change.expect(model::observed_key(desired.id), instance.observed.revision);
  change.expect(model::desired_key(host_id), host.desired.revision);
  change.expect(model::observed_key(host_id), host.observed.revision);
  change.expect(model::health_key(host_id), host.health.revision);
  change.update(model::placed_key(desired.id), placed, 0);
  change.update(model::claims_key(host_id), claims, host.claims.revision);
  if (placed.group) {
    change.expect(model::group_turn_key(placed.group), group_turn);
    change.put(model::group_turn_key(placed.group), "");
  }
  TRY(change.add_event(store_, model::events_key(desired.id),
                       {now, name_, "placed on " + host_id.text(), placed.why.back()}));
  const auto revision = TRY(change.commit(store_));
  if (!revision) return Outcome::kLagged;
  TRY(view_.apply_own(model::placed_key(desired.id), model::encode(placed), *revision));
  TRY(view_.apply_own(model::claims_key(host_id), model::encode(claims), *revision));
  return Outcome::kPlaced;
}

Result<Scheduler::Outcome> Scheduler::refuse(const InstanceView& instance, const std::string& why) {
  model::InstanceObserved observed = instance.observed.value;
  TRY(model::apply_move(observed.state, model::InstanceState::kTerminated));
  observed.reason_code = "Server.InsufficientInstanceCapacity";
  observed.reason = why;
  observed.changed_at = clock_.now();
  Change change;
  change.expect(model::desired_key(observed.id), instance.desired.revision);
  change.expect(model::placed_key(observed.id), 0);
  change.update(model::observed_key(observed.id), observed, instance.observed.revision);
  TRY(change.add_event(store_, model::events_key(observed.id), {observed.changed_at, name_, "refused", why}));
  const auto revision = TRY(change.commit(store_));
  if (!revision) return Outcome::kLagged;
  TRY(view_.apply_own(model::observed_key(observed.id), model::encode(observed), *revision));
  return Outcome::kRefused;
}

}  // namespace pileus::control
