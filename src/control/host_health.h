// Says of each host whether it lives, by its lease: while `alive` is there it is ready, else unreachable. Instances on an
// unreachable host stay where they are: it may run them still.
#pragma once

#include "control/controller.h"
#include "control/view.h"

namespace pileus::control {

class HostHealthController : public Controller {
 public:
  HostHealthController(state::Store& store, const Clock& clock) : store_(store), clock_(clock), view_(store) {}
  Result<u32> run_once() override;

 private:
  Result<bool> judge(model::HostId id, const HostView& host);

  state::Store& store_;
  const Clock& clock_;
  View view_;
};

}  // namespace pileus::control
