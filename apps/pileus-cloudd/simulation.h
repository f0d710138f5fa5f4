// Hosts that only pretend to run VMs, in this process.
#pragma once

#include <memory>
#include <vector>

#include "control/runner.h"
#include "control/simulated_fleet.h"

namespace pileus::cloudd {

class Simulation {
 public:
  // `count` hosts of 64 processors, spread over the zones. Their ids are the same at each start.
  static Result<std::unique_ptr<Simulation>> start(state::Store& store, const control::Clock& clock,
                                                   const std::shared_ptr<control::SharedView>& view, u32 count,
                                                   const std::vector<std::string>& zones);

 private:
  Simulation() = default;
  std::vector<std::unique_ptr<control::SimulatedMachine>> machines_;
  std::vector<std::unique_ptr<control::Runner>> runners_;
};

}  // namespace pileus::cloudd
