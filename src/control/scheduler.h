// Gives hosts to instances that want to run and have none.
//
// Invariants:
//   1. The choice, its explanation and the host's claims are written in one transaction.
//   2. Its conditions: the instance is as it was read; the host's claims, wishes and health are as the decision saw them;
//      of an instance in a placement group, the group's turn too. So what decide() found feasible is feasible when it
//      is written, and schedulers side by side cannot give the same room away.
#pragma once

#include "control/controller.h"
#include "control/view.h"

namespace pileus::control {

class Scheduler : public Controller {
 public:
  Scheduler(state::Store& store, const Clock& clock, placement::Policy policy, std::string name);
  Result<u32> run_once() override;

 private:
  enum class Outcome { kPlaced, kRefused, kLagged };
  Result<Outcome> schedule(const InstanceView& instance);
  Result<Outcome> place(const InstanceView& instance, const placement::Request& request,
                        const placement::Decision& decision, state::Revision group_turn);
  Result<Outcome> refuse(const InstanceView& instance, const std::string& why);

  state::Store& store_;
  const Clock& clock_;
  placement::Policy policy_;
  std::string name_;
  View view_;
};

}  // namespace pileus::control
