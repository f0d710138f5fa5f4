// A CPU that does nothing until it is kicked: for tests of the board around it.
#pragma once

#include <condition_variable>
#include <mutex>

#include "engine/engine.h"

namespace pileus::machine::testing {

class WaitingVcpu : public engine::Vcpu {
 public:
  engine::Exit run() override {
    std::unique_lock lock(mutex_);
    kicked_.wait(lock, [this] { return kick_; });
    kick_ = false;
    return {};
  }
  void kick() override {
    const std::scoped_lock lock(mutex_);
    kick_ = true;
    kicked_.notify_all();
  }
  engine::CpuState state() const override { return state_; }
  Result<> set_state(const engine::CpuState& state) override {
    state_ = state;
    return {};
  }

 private:
  engine::CpuState state_;
  std::mutex mutex_;
  std::condition_variable kicked_;
  bool kick_ = false;
};

}  // namespace pileus::machine::testing
