// Many simulated hosts as one controller: they share one view, and a run looks at the instances that have changed. So a
// thousand of them fit into a process. They have all images of the library.
#pragma once

#include "control/shared_view.h"
#include "control/simulated_host.h"

namespace pileus::control {

class SimulatedFleet : public Controller {
 public:
  SimulatedFleet(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view)
      : store_(store), clock_(clock), view_(std::move(view)), work_(view_) {}

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
  Result<u32> keep_alive();
  void take_images();
  Result<u32> attend_disks();
  void stop_stranger(model::InstanceId id, const InstanceView* instance);

  const std::shared_ptr<SharedView> view_;
  Worklist work_;
  std::map<model::HostId, Member> members_;
  std::vector<model::ImageId> images_;
  std::map<model::InstanceId, model::HostId> attended_;  // who may have a VM of it
};

}  // namespace pileus::control
