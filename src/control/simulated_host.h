// A host without VMs: joins, keeps its lease, and makes every transition at once. For tests and for clouds that are
// larger than the machine.
//
// SimulatedMachine is what survives when the host's program is killed: its VMs run on.
#pragma once

#include "control/controller.h"
#include "control/view.h"

namespace pileus::control {

struct SimulatedMachine {
  std::map<model::InstanceId, u64> vms;     // running, with the epoch they were started under
  std::map<model::InstanceId, u32> starts;  // how often a VM was started
  u32 double_starts = 0;                    // started although it ran: must stay 0
};

class SimulatedHost : public Controller {
 public:
  SimulatedHost(state::Store& store, const Clock& clock, SimulatedMachine& machine, model::HostObserved self)
      : store_(store), clock_(clock), machine_(machine), self_(std::move(self)), view_(store) {}

  // Registers if need be, keeps the lease alive, and makes what runs equal to what is desired.
  Result<u32> run_once() override;

  // The parts of a run, for SimulatedFleet: 1 when it had to register; whether the instance, which is placed here, was
  // taken a step on; how many VMs were stopped.
  Result<u32> join();
  // Of the library: tells it with the next join().
  void has_images(const std::vector<model::ImageId>& images);
  Result<bool> attend(const InstanceView& instance);
  u32 stop_strangers(const View& view);
  void stop_if_stranger(model::InstanceId id, const InstanceView* instance);

 private:
  static constexpr std::chrono::seconds kLease{15};
  Result<u32> attend_disks();
  Result<bool> report_disks(const InstanceView& instance);
  bool is_stranger(u64 epoch, const InstanceView* instance) const;
  Result<bool> report(const InstanceView& instance, model::InstanceState state);

  state::Store& store_;
  const Clock& clock_;
  SimulatedMachine& machine_;
  model::HostObserved self_;
  View view_;
  state::LeaseId lease_ = state::LeaseId::kNone;
};

}  // namespace pileus::control
