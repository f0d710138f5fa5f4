// Gives the addresses and network interfaces of terminated instances back; interfaces that are to outlive their instances
// become free.
#pragma once

#include <chrono>
#include <optional>

#include "control/controller.h"
#include "control/shared_view.h"
#include "model/network.h"

namespace pileus::control {

// To be part of a transaction that expects the interface unchanged: it and its addresses go, and the elastic address that
// leads to it leads nowhere.
Result<> erase_interface(state::Store& store, Change& change, const model::InterfaceDesired& interface);

class InterfaceReaper : public Controller {
 public:
  explicit InterfaceReaper(state::Store& store, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), view_(view_or_own(std::move(view), store)), work_(view_) {}
  Result<u32> run_once() override;

 private:
  // Interfaces of instances whose records are gone altogether are found by reading all: at first, then a page each kStep.
  static constexpr std::chrono::seconds kStep{1};
  enum class Outcome { kReleased, kNothing, kNotNow };
  Result<u32> release_of_ended();
  Result<u32> sweep_page();
  bool has_ended(model::InstanceId id);
  Result<Outcome> release(const std::string& key);

  state::Store& store_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
  std::string next_;  // where the next page begins; empty: at the first interface
  std::optional<std::chrono::steady_clock::time_point> swept_at_;
};

}  // namespace pileus::control
