// Says of each host whether it lives, by its lease: while `alive` is there it is ready, else unreachable. Instances on an
// unreachable host stay where they are: it may run them still.
#pragma once

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

class HostHealthController : public Controller {
 public:
  HostHealthController(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), clock_(clock), work_(view_or_own(std::move(view), store)) {}
  Result<u32> run_once() override;

 private:
  Result<bool> judge(model::HostId id, const HostView& host);

  state::Store& store_;
  const Clock& clock_;
  Worklist work_;
};

}  // namespace pileus::control
