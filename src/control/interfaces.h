// Gives the addresses and network interfaces of terminated instances back.
#pragma once

#include <chrono>
#include <optional>

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

class InterfaceReaper : public Controller {
 public:
  explicit InterfaceReaper(state::Store& store, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), view_(view_or_own(std::move(view), store)), work_(view_) {}
  Result<u32> run_once() override;

 private:
  // Interfaces of instances whose records are gone altogether are found by reading all, now and then.
  static constexpr std::chrono::minutes kSweep{1};
  enum class Outcome { kReleased, kNothing, kNotNow };
  Result<u32> release_of_ended();
  Result<u32> sweep();
  bool has_ended(model::InstanceId id);
  Result<Outcome> release(const std::string& key);

  state::Store& store_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
  std::optional<std::chrono::steady_clock::time_point> swept_at_;
};

}  // namespace pileus::control
