// Many simulated hosts as one controller: they share one view, and a run looks at each instance once instead of once for
// each host. So a thousand of them fit into a process.
#pragma once

#include "control/simulated_host.h"

namespace pileus::control {

class SimulatedFleet : public Controller {
 public:
  SimulatedFleet(state::Store& store, const Clock& clock) : store_(store), clock_(clock), view_(store) {}

  // Before the first run. `machine` outlives the fleet.
  void add(SimulatedMachine& machine, model::HostObserved self);
  Result<u32> run_once() override;

 private:
  // Of a third of the lease, so that two may be missed.
  static constexpr model::Millis kKeepAlive = 5000;
  struct Member {
    std::unique_ptr<SimulatedHost> host;
    model::Millis seen_at = 0;  // when its lease was last renewed
  };

  state::Store& store_;
  const Clock& clock_;
  View view_;
  std::map<model::HostId, Member> members_;
};

}  // namespace pileus::control
