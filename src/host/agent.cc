#include "host/agent.h"

#include <algorithm>
#include <set>

#include "base/log.h"

namespace pileus::host {
namespace {

using enum model::InstanceState;
constexpr std::chrono::minutes kOrphanPatience{2};
constexpr std::chrono::minutes kRestartWindow{10};
constexpr int kMostRestarts = 3;
constexpr const char* kWaiting = "waiting";  // of an instance whose disk is on its way, or has no room

// For the events: which volumes an instance has.
std::string disks_text(const model::InstanceObserved& observed) {
  std::string text;
  for (const model::VolumeId id : observed.attached_volumes) text += (text.empty() ? "" : " ") + id.text();
  return text.empty() ? "none" : text;
}

// What a running instance waits for; empty: for nothing.
void note_room(const LocalVm& vm, model::InstanceObserved& observed) {
  const bool waits = !vm.state().waiting_disks.empty();
  observed.reason_code = waits ? model::kHostDiskFull : "";
  observed.reason =
      waits ? "its host's disk is full: what it writes waits, and is written when there is room again" : "";
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::create(const image::Library& library, const std::filesystem::path& folder,
                                             CloudLink& cloud, std::optional<vswitch::Endpoint> tunnel,
                                             HostDisks& disks) {
  std::unique_ptr<Agent> agent(new Agent(library, folder, cloud, tunnel, disks));
  TRY(os::make_directories(agent->instances_));
  // What a killed predecessor was making or removing.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(agent->instances_, ignored)) {
    if (entry.path().filename().string().starts_with('.')) TRY(os::remove_all(entry.path()));
  }
  return agent;
}

Agent::~Agent() {
  for (const model::InstanceId id : instances_in(instances_)) {
    if (LocalVm(instances_, id).alive()) return;
  }
  const Result<> ended = switch_.end();
  if (!ended) log::warn("virtual switch: {}", ended.error().message());
}

bool Agent::step(control::Assignments& wishes, bool news, LocalVm::Time now) {
  std::vector<control::Assignment>& assignments = wishes.instances;
  // Those that nobody asks for any more hold their volumes, too.
  for (const model::InstanceId id : instances_in(instances_)) vms_.try_emplace(id, instances_, id);
  bool acted = disks_.step(wishes.disks, assignments, vms_, now);
  tasks_ = &wishes.disks;
  const Result<> network = switch_.update(assignments, vms_, news, now);
  if (!network) log::warn("virtual switch: {}", network.error().message());
  for (control::Assignment& assignment : assignments) {
    const model::InstanceId id = assignment.desired.id;
    LocalVm& vm = vms_.try_emplace(id, instances_, id).first->second;
    const Result<bool> done = attend(assignment, vm, now);
    if (!done) log::warn("{}: {}", id.text(), done.error().message());
    acted |= done.ok() && *done;
  }
  return put_orphans_away(assignments, now) || acted;
}

Result<bool> Agent::attend(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now) {
  if (vm.is_starting()) return false;
  if (assignment.observed.state == kTerminated) {
    if (!vm.exists()) return false;
    return attend_terminated(assignment, vm);
  }
  switch (assignment.desired.power) {
    case model::Power::kTerminated: return attend_terminated(assignment, vm);
    case model::Power::kStopped: return attend_stopped(assignment, vm, now);
    case model::Power::kRunning: break;
  }
  switch (assignment.observed.state) {
    case kPending: return attend_pending(assignment, vm);
    case kRunning: return attend_running(assignment, vm, now);
    case kStopped: TRY(report(assignment, vm, kPending, {"starting", "", false})); return true;
    default: return attend_stopped(assignment, vm, now);  // it has to come to rest before it starts
  }
}

Result<bool> Agent::attend_pending(control::Assignment& assignment, LocalVm& vm) {
  if (const std::optional<std::string> failure = vm.start_failure()) return fail(assignment, vm, *failure);
  if (!vm.exists()) {
    const Result<bool> made = make(assignment, vm);
    if (!made) return fail(assignment, vm, made.error().message());
    if (!*made) return false;
  }
  if (!vm.alive()) {
    if (!is_root_held(assignment, *tasks_)) return false;
    TRY(follow_volumes(assignment, vm));
    const Result<> started = start(assignment, vm);
    if (!started && started.error().code() == ErrorCode::kBusy) return started.error();
    if (!started) return fail(assignment, vm, started.error().message());
    return true;
  }
  if (vm.state().phase != vmm::VmPhase::kRunning) return false;
  const vmm::VmState state = vm.state();
  TRY(report(assignment, vm, kRunning, {"running", state.engine_used + ": " + state.engine_reason, false}));
  return true;
}

// False: its disk is not here yet, and the cloud was told why.
Result<bool> Agent::make(control::Assignment& assignment, LocalVm& vm) {
  const std::optional<model::VolumeId> root = root_volume(assignment, *tasks_);
  if (!root) {
    TRY(vm.make(library_, assignment, std::nullopt));
    return true;
  }
  const std::string waits = disks_.volumes().waits_for(*tasks_, *root);
  if (waits.empty()) {
    TRY(vm.make(library_, assignment, LocalVm::Root{disks_.places().volume(*root).path(), serial_of(*root)}));
    return true;
  }
  if (waits != assignment.observed.reason) {
    const std::string before = std::exchange(assignment.observed.reason, waits);
    const Result<> told = report(assignment, vm, kPending, {kWaiting, waits, false});
    if (!told) assignment.observed.reason = before;
    TRY(told);
  }
  return false;
}

Result<bool> Agent::follow_volumes(control::Assignment& assignment, LocalVm& vm) {
  std::vector<model::VolumeId> attached = TRY(follow_disks(assignment, *tasks_, disks_.places(), vm));
  if (attached == assignment.observed.attached_volumes) return false;
  assignment.observed.attached_volumes = std::move(attached);
  return true;
}

// kBusy: the virtual switch does not know it yet.
Result<> Agent::start(const control::Assignment& assignment, LocalVm& vm) {
  const std::optional<SwitchPlace> place = switch_.place_of(assignment.desired.id);
  if (!place) return Error(ErrorCode::kBusy, "the virtual switch has no port for it yet");
  return vm.start(assignment, *place);
}

// A start that failed: a new instance ends, one that ran before is stopped again.
Result<bool> Agent::fail(control::Assignment& assignment, LocalVm& vm, const std::string& why) {
  log::warn("{} did not start: {}", assignment.desired.id.text(), why);
  assignment.observed.reason_code = "Server.InternalError";
  assignment.observed.reason = why;
  const bool ran_here =
      vm.exists() && vm.state().started_unix_s != 0 && std::filesystem::exists(vm.directory().console_log());
  if (ran_here || assignment.placed.migrations > 0) {
    TRY(report(assignment, vm, kStopped, {"did not start", why, true}));
    return true;
  }
  TRY(vm.remove());
  if (!TRY(disks_.remove_disks_of(assignment, *tasks_))) return false;
  assignment.observed.attached_volumes.clear();
  TRY(report(assignment, vm, kTerminated, {"did not start", why, false}));
  return true;
}

Result<bool> Agent::attend_running(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now) {
  const bool reboot = assignment.desired.reboots > assignment.observed.reboots;
  if (vm.alive() && !reboot) return follow_rules(assignment, vm);
  if (vm.alive()) {
    TRY(vm.shut_down(now));
    return false;
  }
  if (reboot) {
    if (disks_.snapshots().is_to_wait(*tasks_, assignment)) return true;
    TRY(follow_volumes(assignment, vm));
    assignment.observed.reboots = assignment.desired.reboots;
    TRY(start(assignment, vm));
    TRY(report(assignment, vm, kRunning, {"rebooted", "", false}));
    return true;
  }
  if (vm.exists() && vm.state().phase == vmm::VmPhase::kStopped) {
    assignment.observed.reason_code = "Client.InstanceInitiatedShutdown";
    assignment.observed.reason = "The guest shut itself down";
    TRY(report(assignment, vm, kStopping, {"stopping", "the guest shut itself down", true}));
    return true;
  }
  return bring_back(assignment, vm, now);
}

// Its groups' rules may have opened and closed ports.
Result<bool> Agent::follow_rules(control::Assignment& assignment, LocalVm& vm) {
  const std::vector<model::VolumeId> before = assignment.observed.attached_volumes;
  const Result<bool> moved = follow_volumes(assignment, vm);
  if (!moved) log::warn("{}: {}", assignment.desired.id.text(), moved.error().message());
  if (moved && *moved) {
    const Result<> told = report(assignment, vm, kRunning, {"volumes", disks_text(assignment.observed), false});
    if (!told) assignment.observed.attached_volumes = before;
    TRY(told);
    return true;
  }
  if (TRY(follow_room(assignment, vm))) return true;
  const bool changed = TRY(vm.choose_forwards(assignment));
  if (vm.public_address() == assignment.observed.public_address) return changed;
  TRY(report(assignment, vm, kRunning, {"address", vm.public_address(), false}));
  return true;
}

// Whether its disks get what they need of the host's.
Result<bool> Agent::follow_room(control::Assignment& assignment, LocalVm& vm) {
  model::InstanceObserved now = assignment.observed;
  note_room(vm, now);
  if (now == assignment.observed) return false;
  const bool waits = !now.reason.empty();
  TRY(report(assignment, vm, kRunning,
             waits ? Told{kWaiting, now.reason, false} : Told{"goes on", "its host has room", false}));
  return true;
}

// Its VMM is gone, and not because the guest wanted it.
Result<bool> Agent::bring_back(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now) {
  std::string why = vm.state().message;
  if (why.empty()) why = std::string("its VM was ") + vmm::phase_name(vm.state().phase);
  Restarts& restarts = restarts_[assignment.desired.id];
  if (restarts.count == 0 || now - restarts.first > kRestartWindow) restarts = {now, 0};
  if (!vm.exists() || restarts.count >= kMostRestarts) {
    assignment.observed.reason_code = "Server.InternalError";
    assignment.observed.reason = vm.exists() ? why : "its disk is gone";
    TRY(report(assignment, vm, kStopping, {"given up", assignment.observed.reason, true}));
    return true;
  }
  TRY(start(assignment, vm));
  ++restarts.count;
  TRY(report(assignment, vm, kRunning, {"started again", why, false}));
  return true;
}

Result<bool> Agent::attend_stopped(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now) {
  switch (assignment.observed.state) {
    case kRunning: TRY(report(assignment, vm, kStopping, {"stopping", "", false})); return true;
    case kPending:
      if (vm.alive()) {
        TRY(vm.kill());
        return false;
      }
      TRY(report(assignment, vm, kStopped, {"stopped", "before it ran", false}));
      return true;
    case kStopping:
      if (vm.alive()) {
        TRY(vm.shut_down(now));
        return false;
      }
      TRY(report(assignment, vm, kStopped, {"stopped", "", false}));
      return true;
    case kStopped: return assignment.placed.migration.down ? let_go(assignment, vm) : follow_stopped(assignment, vm);
    default: return false;
  }
}

Result<bool> Agent::follow_stopped(control::Assignment& assignment, LocalVm& vm) {
  if (vm.alive()) {
    TRY(vm.kill());
    return false;
  }
  if (!vm.exists() && !TRY(make_where_it_moved(assignment, vm))) return false;
  const std::vector<model::VolumeId> before = assignment.observed.attached_volumes;
  if (!TRY(follow_volumes(assignment, vm))) return false;
  const Result<> told = report(assignment, vm, kStopped, {"volumes", disks_text(assignment.observed), false});
  if (!told) assignment.observed.attached_volumes = before;
  TRY(told);
  return true;
}

// An instance that came here stopped, or stays here after all, has its volumes again as soon as they are here.
Result<bool> Agent::make_where_it_moved(control::Assignment& assignment, LocalVm& vm) {
  const std::optional<model::VolumeId> root = root_volume(assignment, *tasks_);
  const bool moved = assignment.placed.migrations > 0 && root && is_root_held(assignment, *tasks_);
  if (!moved || !disks_.volumes().waits_for(*tasks_, *root).empty()) return false;
  return make(assignment, vm);
}

// It moves to another host: with its VM it lets go of its volumes, which are handed over then.
Result<bool> Agent::let_go(control::Assignment& assignment, LocalVm& vm) {
  if (vm.alive()) {
    TRY(vm.kill());
    return false;
  }
  TRY(vm.remove());
  if (assignment.observed.attached_volumes.empty()) return false;
  const std::vector<model::VolumeId> before = std::exchange(assignment.observed.attached_volumes, {});
  const Result<> told = report(assignment, vm, kStopped, {"let go of its volumes", "to move to another host", false});
  if (!told) assignment.observed.attached_volumes = before;
  TRY(told);
  return true;
}

Result<bool> Agent::attend_terminated(control::Assignment& assignment, LocalVm& vm) {
  if (assignment.observed.state != kShuttingDown && assignment.observed.state != kTerminated) {
    TRY(report(assignment, vm, kShuttingDown, {"shutting down", "", false}));
  }
  if (vm.alive()) {
    TRY(vm.kill());
    return false;
  }
  TRY(vm.remove());
  if (!TRY(disks_.remove_disks_of(assignment, *tasks_))) return false;
  assignment.observed.attached_volumes.clear();
  if (assignment.observed.state == kTerminated) return true;
  if (assignment.observed.reason_code.empty()) {
    assignment.observed.reason_code = "Client.UserInitiatedShutdown";
    assignment.observed.reason = "Client.UserInitiatedShutdown: User initiated shutdown";
  }
  TRY(report(assignment, vm, kTerminated, {"terminated", "", false}));
  return true;
}

Result<> Agent::report(control::Assignment& assignment, const LocalVm& vm, model::InstanceState state, Told told) {
  control::Observation message;
  message.observed = assignment.observed;
  message.observed.id = assignment.desired.id;
  message.observed.state = state;
  message.observed.epoch = assignment.placed.epoch;
  message.observed.generation = assignment.desired.generation;
  message.observed.public_address = state == kRunning ? vm.public_address() : std::string();
  if (state == kRunning) note_room(vm, message.observed);
  if (state == kPending && told.what != kWaiting) {
    message.observed.reason_code.clear();
    message.observed.reason.clear();
  }
  message.guest_ended = told.guest_ended;
  message.what = told.what;
  message.why = told.why;
  TRY(cloud_.observe(message));
  log::info("{}: {}{}{}", assignment.desired.id.text(), told.what, told.why.empty() ? "" : ": ", told.why);
  assignment.observed = message.observed;
  if (told.guest_ended) {
    assignment.desired.power =
        assignment.desired.terminate_on_shutdown ? model::Power::kTerminated : model::Power::kStopped;
  }
  return {};
}

// What nobody asks for any more is ended, but its folder kept: the cloud may have lost its memory.
bool Agent::put_orphans_away(const std::vector<control::Assignment>& assignments, LocalVm::Time now) {
  std::set<model::InstanceId> wanted;
  for (const control::Assignment& each : assignments) wanted.insert(each.desired.id);
  std::erase_if(vms_, [&](const auto& each) { return !wanted.contains(each.first); });
  std::erase_if(orphan_since_, [&](const auto& each) { return wanted.contains(each.first); });
  bool acted = false;
  for (const model::InstanceId id : instances_in(instances_)) {
    if (wanted.contains(id)) continue;
    const LocalVm::Time since = orphan_since_.try_emplace(id, now).first->second;
    if (now - since < kOrphanPatience) continue;
    LocalVm vm(instances_, id);
    if (vm.alive()) {
      const Result<> killed = vm.kill();
      if (!killed) log::warn("{}: {}", id.text(), killed.error().message());
      continue;
    }
    Result<> moved = os::make_directories(orphans_);
    if (moved.ok()) moved = os::rename(vm.directory().path(), orphans_ / id.text());
    if (!moved) log::warn("{}: {}", id.text(), moved.error().message());
    if (moved.ok()) log::info("{} is nobody's: put away into {}", id.text(), orphans_.string());
    acted |= moved.ok();
  }
  return acted;
}

}  // namespace pileus::host
