// Start, stop, reboot, terminate: wishes, written down; hosts carry them out.
#include <algorithm>

#include "control/launch.h"
#include "ec2/instances/handlers.h"
#include "ec2/instances/objects.h"

namespace pileus::ec2 {
namespace {

using State = model::InstanceState;

ApiError incorrect_state(const InstanceEntry& entry, const char* wish) {
  return {"IncorrectInstanceState", "The instance '" + entry.desired.id.text() +
                                        "' is not in a state from which it can be " + wish + ": it is " +
                                        std::string(model::name(entry.observed.state))};
}

Reply<std::vector<InstanceEntry>> named_instances(const Call& call) {
  const std::vector<std::string> ids = call.parameters.list("InstanceId");
  if (ids.empty()) return ApiError("MissingParameter", "The request must contain the parameter InstanceId");
  return find_instances(call, ids);
}

// All or none: what stands in the way of one is found before any is changed.
Reply<> change_power(Call& call, pugi::xml_node answer, model::Power power, bool (*allows)(State), const char* wish) {
  const std::vector<InstanceEntry> before = TRY(named_instances(call));
  for (const InstanceEntry& entry : before) {
    if (!allows(entry.observed.state)) return incorrect_state(entry, wish);
    if (power == model::Power::kStopped && entry.desired.stop_protected) {
      return ApiError("OperationNotPermitted",
                      "The instance '" + entry.desired.id.text() +
                          "' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.");
    }
    if (power == model::Power::kTerminated && entry.desired.termination_protected) {
      return ApiError("OperationNotPermitted",
                      "The instance '" + entry.desired.id.text() +
                          "' may not be terminated. Modify its 'disableApiTermination' instance "
                          "attribute and try again.");
    }
  }
  for (const InstanceEntry& entry : before) {
    if (entry.observed.state == State::kTerminated) continue;
    TRY(control::set_power(call.store, call.clock, entry.desired.id, power, call.account.id.text()));
  }
  pugi::xml_node set = add(answer, "instancesSet");
  const std::vector<InstanceEntry> after = TRY(named_instances(call));
  for (std::size_t i = 0; i < after.size(); ++i) {
    pugi::xml_node item = add_item(set);
    add(item, "instanceId", after[i].desired.id.text());
    // In this order: some clients take the first state for the current one.
    write_state(item, "currentState", after[i].observed.state);
    write_state(item, "previousState", before[i].observed.state);
  }
  return {};
}

}  // namespace

Reply<> start_instances(Call& call, pugi::xml_node answer) {
  return change_power(
      call, answer, model::Power::kRunning,
      [](State state) { return state == State::kStopped || state == State::kPending || state == State::kRunning; },
      "started");
}

Reply<> stop_instances(Call& call, pugi::xml_node answer) {
  return change_power(
      call, answer, model::Power::kStopped,
      [](State state) { return state != State::kShuttingDown && state != State::kTerminated; }, "stopped");
}

Reply<> terminate_instances(Call& call, pugi::xml_node answer) {
  return change_power(call, answer, model::Power::kTerminated, [](State) { return true; }, "terminated");
}

Reply<> reboot_instances(Call& call, pugi::xml_node answer) {
  for (const InstanceEntry& entry : TRY(named_instances(call))) {
    if (entry.observed.state != State::kRunning) return incorrect_state(entry, "rebooted");
    const auto attempt = [&]() -> Reply<bool> {
      auto desired = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(entry.desired.id)));
      desired.value.reboots++;
      desired.value.generation++;
      control::Change change;
      change.update(model::desired_key(entry.desired.id), desired.value, desired.revision);
      TRY(tell(call, change, entry.desired.id, "wanted a reboot"));
      return TRY(change.commit(call.store)).has_value();
    };
    TRY(retry(attempt));
  }
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
