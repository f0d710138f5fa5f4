#include "control/scheduler.h"

#include "control/image_reach.h"
#include "control/layer_reach.h"
#include "placement/choice.h"

namespace pileus::control {
namespace {

// In one transaction: 8 conditions each fit into the 128 that it may have.
constexpr std::size_t kTogether = 16;
static_assert(kTogether * 8 <= state::kMaxOperations);

bool wants_host(const InstanceView& instance) {
  return instance.desired.exists() && instance.observed.exists() && !instance.placed.exists() &&
         instance.desired.value.power == model::Power::kRunning && !instance.desired.value.awaits_disks &&
         instance.observed.value.state == model::InstanceState::kPending;
}

placement::Request request_of(const View& view, const model::InstanceDesired& desired) {
  placement::Request request;
  request.takes = desired.takes;
  request.zone = desired.wish.zone;
  request.engine = desired.wish.engine;
  request.cpu_model = desired.wish.cpu_model;
  request.image = desired.image;
  request.image_reach = image_reach(view, desired.image);
  request.layer_hosts = layer_hosts(view, desired);
  request.host = desired.wish.host;
  return request;
}

}  // namespace

Scheduler::Scheduler(state::Store& store, const Clock& clock, placement::Policy policy, std::string name,
                     std::shared_ptr<SharedView> view)
    : store_(store),
      clock_(clock),
      policy_(policy),
      name_(std::move(name)),
      view_(view_or_own(std::move(view), store)),
      work_(view_) {}

// Given back at the end, unless the instances were placed.
class Scheduler::Reservations {
 public:
  explicit Reservations(SharedView& view) : view_(view) {}
  ~Reservations() {
    view_.look([this](View& view) {
      for (const model::InstanceId id : ids_) view.release(id);
    });
  }
  Reservations(const Reservations&) = delete;
  Reservations& operator=(const Reservations&) = delete;
  void add(model::InstanceId id) { ids_.push_back(id); }

 private:
  SharedView& view_;
  std::vector<model::InstanceId> ids_;
};

Result<u32> Scheduler::run_once() {
  TRY(work_.refresh());
  const auto waiting =
      work_.instances([](model::InstanceId, const InstanceView& instance) { return wants_host(instance); });
  std::vector<InstanceView> ungrouped;
  for (const auto& [id, instance] : waiting) {
    if (!instance.desired.value.wish.group) ungrouped.push_back(instance);
  }
  u32 done = 0;
  std::set<model::InstanceId> placed;
  for (std::size_t at = 0; at < ungrouped.size(); at += kTogether) {
    const auto some = std::span(ungrouped).subspan(at, std::min(kTogether, ungrouped.size() - at));
    const u32 count = TRY(schedule_together(some));
    for (u32 i = 0; i < count; ++i) {
      placed.insert(some[i].desired.value.id);
      work_.done(some[i].desired.value.id);
    }
    done += count;
  }
  for (const auto& [id, instance] : waiting) {
    if (placed.contains(id)) continue;
    const Outcome outcome = TRY(schedule_patiently(id));
    if (outcome == Outcome::kLagged) continue;  // it stays on the list
    work_.done(id);
    done++;
  }
  return done;
}

Result<Scheduler::Outcome> Scheduler::schedule_patiently(model::InstanceId id) {
  // Each lag means that somebody else got on; a few in a row are left to the next run.
  constexpr int kTries = 4;
  for (int i = 0; i < kTries; i++) {
    std::optional<InstanceView> instance;
    view_->look([&](View& view) {
      const InstanceView* found = view.find(id);
      if (found != nullptr && wants_host(*found)) instance = *found;
    });
    if (!instance) break;
    const Outcome outcome = TRY(schedule(*instance));
    if (outcome != Outcome::kLagged) return outcome;
    policy_.salt++;
    TRY(view_->sync());
  }
  return Outcome::kLagged;
}

std::optional<Scheduler::Choice> Scheduler::choose(View& view, const InstanceView& instance,
                                                   const placement::Request& request,
                                                   placement::Decision& decision) const {
  decision = placement::decide(view.inventory(), request, policy_);
  if (!decision.placed()) return {};
  const model::InstanceDesired& desired = instance.desired.value;
  Choice choice;
  choice.instance = instance;
  model::InstancePlaced& placed = choice.placed;
  placed.id = desired.id;
  placed.host = view.inventory().id(decision.chosen.host);
  placed.takes = desired.takes;
  placed.group = desired.wish.group;
  placed.partition = decision.partition;
  placed.epoch = instance.observed.value.epoch + 1;
  placed.placed_at = clock_.now();
  placed.why = placement::explain(view.inventory(), request, decision);
  choice.host = view.hosts().at(placed.host);
  view.reserve(placed.id, {decision.chosen.host, placed.takes, placed.group, placed.partition});
  return choice;
}

Result<u32> Scheduler::schedule_together(std::span<const InstanceView> instances) {
  Reservations reserved(*view_);
  std::vector<Choice> choices;
  view_->look([&](View& view) {
    for (const InstanceView& instance : instances) {
      placement::Decision decision;
      std::optional<Choice> choice = choose(view, instance, request_of(view, instance.desired.value), decision);
      if (!choice) return;
      reserved.add(choice->placed.id);
      choices.push_back(std::move(*choice));
    }
  });
  if (choices.empty()) return 0U;
  return TRY(place(choices, {})) ? static_cast<u32>(choices.size()) : 0U;
}

Result<Scheduler::Outcome> Scheduler::schedule(const InstanceView& instance) {
  const model::InstanceDesired& desired = instance.desired.value;
  std::optional<GroupTurn> group;
  if (desired.wish.group) {
    group = TRY(read_group_turn(store_, desired.wish.group, desired.wish.partition));
    if (!group) return refuse(instance, "placement group " + desired.wish.group.text() + " does not exist");
    // Whoever had the turn before us: his choice has to be in view, or ours would not know of it.
    if (group->turn > view_->revision()) TRY(view_->sync());
    if (group->turn > view_->revision()) return Outcome::kLagged;
  }
  Reservations reserved(*view_);
  std::optional<Choice> choice;
  placement::Request request;
  placement::Decision decision;
  state::Revision seen = 0;
  view_->look([&](View& view) {
    request = request_of(view, desired);
    if (group) request.group = group->request;
    choice = choose(view, instance, request, decision);
    if (choice) reserved.add(choice->placed.id);
    seen = view.revision();
  });
  if (choice) return TRY(place(std::span(&*choice, 1), group)) ? Outcome::kPlaced : Outcome::kLagged;
  // Not before we know the latest: room may have come back.
  TRY(view_->sync());
  if (view_->revision() != seen) return Outcome::kLagged;
  return refuse(instance, placement::why_nothing(request, decision));
}

Result<bool> Scheduler::place(std::span<const Choice> choices, const std::optional<GroupTurn>& group) {
  Change change;
  std::map<model::HostId, Stored<model::HostClaims>> hosts;
  for (const Choice& choice : choices) {
    const model::InstancePlaced& placed = choice.placed;
    change.expect(model::desired_key(placed.id), choice.instance.desired.revision);
    change.expect(model::observed_key(placed.id), choice.instance.observed.revision);
    change.update(model::placed_key(placed.id), placed, 0);
    if (group) group->take(change);
    TRY(change.add_event(
        store_, model::events_key(placed.id),
        {placed.placed_at, name_, "placed on " + placed.host.text(), placement::choice_of(placed.why)}));
    const auto [host, is_new] = hosts.try_emplace(placed.host, choice.host.claims);
    if (is_new) {
      change.expect(model::desired_key(placed.host), choice.host.desired.revision);
      change.expect(model::observed_key(placed.host), choice.host.observed.revision);
      change.expect(model::health_key(placed.host), choice.host.health.revision);
    }
    host->second.value.id = placed.host;
    host->second.value.claimed += placed.takes;
    host->second.value.instances++;
  }
  for (const auto& [id, claims] : hosts) change.update(model::claims_key(id), claims.value, claims.revision);
  const auto revision = TRY(change.commit(store_));
  if (!revision) return false;
  for (const Choice& choice : choices) {
    TRY(view_->apply_own(model::placed_key(choice.placed.id), model::encode(choice.placed), *revision));
  }
  for (const auto& [id, claims] : hosts) {
    TRY(view_->apply_own(model::claims_key(id), model::encode(claims.value), *revision));
  }
  return true;
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
  TRY(view_->apply_own(model::observed_key(observed.id), model::encode(observed), *revision));
  return Outcome::kRefused;
}

}  // namespace pileus::control
