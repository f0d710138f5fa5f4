#include "simulation.h"

namespace pileus::cloudd {
namespace {

constexpr model::Resources kCapacity{64, 256 * 1024, 4096};
constexpr std::chrono::seconds kInterval{1};
constexpr u32 kFleets = 4;  // hosts report side by side, as real ones do

}  // namespace

Result<std::unique_ptr<Simulation>> Simulation::start(state::Store& store, const control::Clock& clock,
                                                      const std::shared_ptr<control::SharedView>& view, u32 count,
                                                      const std::vector<std::string>& zones) {
  std::unique_ptr<Simulation> simulation(new Simulation);
  std::vector<std::unique_ptr<control::SimulatedFleet>> fleets;
  for (u32 i = 0; i < kFleets; ++i) fleets.push_back(std::make_unique<control::SimulatedFleet>(store, clock, view));
  for (u32 i = 0; i < count; ++i) {
    model::HostDesired desired;
    desired.id = model::HostId(0x5100000000000000ULL + i + 1);
    desired.name = "simulated-" + std::to_string(i + 1);
    desired.zone = zones[i % zones.size()];
    desired.rack = "rack-" + std::to_string(i / 16 + 1);
    const auto known = TRY(control::read<model::HostDesired>(store, model::desired_key(desired.id)));
    if (!known.exists()) TRY(store.put(model::desired_key(desired.id), model::encode(desired)));
    model::HostObserved observed;
    observed.id = desired.id;
    observed.capacity = kCapacity;
    observed.engines = {"bt", "kvm"};
    observed.cpu_models = {"v2", "v3"};
    observed.version = "simulated";
    simulation->machines_.push_back(std::make_unique<control::SimulatedMachine>());
    fleets[i % kFleets]->add(*simulation->machines_.back(), std::move(observed));
  }
  for (auto& fleet : fleets) {
    std::vector<std::unique_ptr<control::Controller>> controllers;
    controllers.push_back(std::move(fleet));
    simulation->runners_.push_back(std::make_unique<control::Runner>(store, std::move(controllers), kInterval));
  }
  return simulation;
}

}  // namespace pileus::cloudd
