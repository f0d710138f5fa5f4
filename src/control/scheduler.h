// Gives hosts to instances that want to run and have none.
//
// Invariants:
//   1. The choice, its explanation and the host's claims are written in one transaction.
//   2. Its conditions: the instance is as it was read; the host's claims, wishes and health are as the decision saw them;
//      of an instance in a placement group, the group's turn too. So what decide() found feasible is feasible when it
//      is written, and schedulers side by side cannot give the same room away.
//   3. Instances without a group are placed several in one transaction. Each decision counts those before it in by a
//      reservation in the view, which ends with the transaction. If it does not hold, they are tried one by one.
#pragma once

#include <span>

#include "control/controller.h"
#include "control/group_turn.h"
#include "control/shared_view.h"

namespace pileus::control {

class Scheduler : public Controller {
 public:
  Scheduler(state::Store& store, const Clock& clock, placement::Policy policy, std::string name,
            std::shared_ptr<SharedView> view = nullptr);
  Result<u32> run_once() override;

 private:
  enum class Outcome { kPlaced, kRefused, kLagged };
  // An instance with its host, which is reserved for it.
  struct Choice {
    InstanceView instance;
    model::InstancePlaced placed;
    HostView host;
  };
  class Reservations;
  std::optional<Choice> choose(View& view, const InstanceView& instance, const placement::Request& request,
                               placement::Decision& decision) const;
  // How many were placed: the first ones, or none.
  Result<u32> schedule_together(std::span<const InstanceView> instances);
  Result<Outcome> schedule_patiently(model::InstanceId id);
  Result<Outcome> schedule(const InstanceView& instance);
  Result<bool> place(std::span<const Choice> choices, const std::optional<GroupTurn>& group);
  Result<Outcome> refuse(const InstanceView& instance, const std::string& why);

  state::Store& store_;
  const Clock& clock_;
  placement::Policy policy_;
  std::string name_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
};

}  // namespace pileus::control
