#include "control/reaper.h"

#include "control/disk_tasks.h"
#include "control/launch.h"
#include "control/migration.h"

namespace pileus::control {

Result<u32> Reaper::run_once() {
  TRY(work_.refresh());
  const auto due = ended_.upper_bound(clock_.now());
  for (auto at = ended_.begin(); at != due; ++at) work_.add(at->second);
  ended_.erase(ended_.begin(), due);
  u32 done = 0;
  const auto todo =
      work_.instances([this](model::InstanceId id, const InstanceView& instance) { return is_due(id, instance); });
  for (const auto& [id, instance] : todo) {
    if (!TRY(act(instance))) continue;  // it stays on the list
    work_.done(id);
    done++;
  }
  return done + TRY(forget_tokens());
}

bool Reaper::is_due(model::InstanceId id, const InstanceView& instance) {
  if (!instance.desired.exists() || !instance.observed.exists()) return false;
  const bool terminated = instance.observed.value.state == model::InstanceState::kTerminated;
  if (!terminated) return !instance.placed.exists() && instance.desired.value.power == model::Power::kTerminated;
  if (instance.placed.exists()) return true;
  const model::Millis when = instance.observed.value.changed_at + kTerminatedLife;
  if (when <= clock_.now()) return true;
  ended_.emplace(when, id);
  return false;
}

Result<bool> Reaper::act(const InstanceView& instance) {
  if (instance.observed.value.state != model::InstanceState::kTerminated) return end_unplaced(instance);
  if (instance.placed.value.migration.to) return false;  // that is given up first
  return instance.placed.exists() ? release(instance) : forget(instance);
}

Result<bool> Reaper::end_unplaced(const InstanceView& instance) {
  using enum model::InstanceState;
  model::InstanceObserved observed = instance.observed.value;
  if (observed.state != kPending && observed.state != kShuttingDown)
    TRY(model::apply_move(observed.state, kShuttingDown));
  TRY(model::apply_move(observed.state, kTerminated));
  observed.reason_code = "Client.UserInitiatedShutdown";
  observed.reason = "terminated before a host had it";
  observed.changed_at = clock_.now();
  Change change;
  change.expect(model::placed_key(observed.id), 0);
  change.update(model::observed_key(observed.id), observed, instance.observed.revision);
  TRY(change.add_event(store_, model::events_key(observed.id),
                       {observed.changed_at, "reaper", "terminated", observed.reason}));
  return TRY(change.commit(store_)).has_value();
}

Result<bool> Reaper::release(const InstanceView& instance) {
  const model::InstancePlaced& placed = instance.placed.value;
  Change change;
  const Result<> released = release_claims(store_, change, placed.host, placed);
  if (!released && released.error().code() == ErrorCode::kBusy) {
    // Read a moment later than the view: only if it is not explained by that does something not add up.
    const auto now = TRY(read<model::InstancePlaced>(store_, model::placed_key(placed.id)));
    if (now.revision != instance.placed.revision) return false;
    return Error(ErrorCode::kCorrupt, released.error().message() + ": its records were changed by hand");
  }
  TRY(released);
  change.expect(model::observed_key(placed.id), instance.observed.revision);
  change.expect(model::placed_key(placed.id), instance.placed.revision);
  change.erase(state::KeyRange::key(model::placed_key(placed.id)));
  keep_volumes(change, instance);
  TRY(change.add_event(store_, model::events_key(placed.id),
                       {clock_.now(), "reaper", "left " + placed.host.text(), ""}));
  return TRY(change.commit(store_)).has_value();
}

// Volumes that stay lived where their instance did; from now on they say so themselves.
void Reaper::keep_volumes(Change& change, const InstanceView& instance) {
  view_->look([&](View& view) {
    for (const model::DiskWish& disk : instance.desired.value.disks) {
      const VolumeView* volume = view.disks().find(disk.volume);
      if (disk.delete_on_termination || volume == nullptr || volume->placed.exists()) continue;
      change.expect(model::desired_key(disk.volume), volume->desired.revision);
      change.update(model::placed_key(disk.volume), first_place(*volume, instance, clock_.now()), 0);
    }
  });
}

Result<bool> Reaper::forget(const InstanceView& instance) {
  const model::InstanceDesired& desired = instance.desired.value;
  Change change;
  change.expect(model::observed_key(desired.id), instance.observed.revision);
  change.expect(model::placed_key(desired.id), 0);
  change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kInstance, desired.id.text(), "")));
  if (!desired.client_token.empty()) {
    // The token's day begins with the last of its instances.
    const std::string key = model::token_key(desired.account, kLaunchAction, desired.client_token);
    auto token = TRY(read<model::Idempotency>(store_, key));
    if (token.exists()) {
      token.value.created_at = clock_.now();
      change.update(key, token.value, token.revision);
    }
  }
  return TRY(change.commit(store_)).has_value();
}

Result<u32> Reaper::forget_tokens() {
  // Tokens are not watched: there are many, and an hour more does not matter.
  if (tokens_seen_at_ != 0 && clock_.now() < tokens_seen_at_ + kTerminatedLife) return 0U;
  u32 forgotten = 0;
  state::KeyRange range = state::KeyRange::prefix(std::string(model::kTokensPrefix));
  constexpr u64 kPage = 1000;
  bool more = true;
  while (more) {
    const state::Snapshot page = TRY(store_.get(state::Get{range, kPage}));
    for (const state::KeyValue& entry : page.entries) {
      const auto token = TRY(decode_entry<model::Idempotency>(entry));
      if (token.value.created_at + kTokenLife > clock_.now()) continue;
      const bool in_use = TRY(is_in_use(token.value));
      if (in_use) continue;
      Change change;
      change.expect(entry.key, entry.mod_revision);
      change.erase(state::KeyRange::key(entry.key));
      if (TRY(change.commit(store_))) forgotten++;
    }
    more = page.more && !page.entries.empty();
    if (more) range.begin = page.entries.back().key + '\0';
  }
  tokens_seen_at_ = clock_.now();
  return forgotten;
}

Result<bool> Reaper::is_in_use(const model::Idempotency& token) {
  const Result<Launched> launched = decode_answer(token.answer);
  if (!launched) return false;  // of an action that made something else
  bool in_use = false;
  view_->look([&](View& view) {
    for (const model::InstanceId id : launched->instances) in_use |= view.find(id) != nullptr;
  });
  return in_use;
}

}  // namespace pileus::control
