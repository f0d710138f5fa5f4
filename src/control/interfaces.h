// Gives the addresses and network interfaces of terminated instances back.
#pragma once

#include <chrono>
#include <optional>
#include <set>

#include "control/controller.h"
#include "control/view.h"

namespace pileus::control {

class InterfaceReaper : public Controller {
 public:
  explicit InterfaceReaper(state::Store& store) : store_(store), view_(store) {}
  Result<u32> run_once() override;

 private:
  // Interfaces of instances whose records are gone altogether are found by reading all, now and then.
  static constexpr std::chrono::minutes kSweep{1};
  enum class Outcome { kReleased, kNothing, kNotNow };
  Result<u32> release_of_ended();
  Result<u32> sweep();
  Result<Outcome> release(const std::string& key);

  state::Store& store_;
  View view_;
  std::set<model::InstanceId> released_;  // ended instances that have none any more
  std::optional<std::chrono::steady_clock::time_point> swept_at_;
};

}  // namespace pileus::control
