// Gives the addresses and network interfaces of terminated instances back.
#pragma once

#include "control/controller.h"
#include "control/view.h"

namespace pileus::control {

class InterfaceReaper : public Controller {
 public:
  explicit InterfaceReaper(state::Store& store) : store_(store), view_(store) {}
  Result<u32> run_once() override;

 private:
  Result<bool> release(const std::string& key);

  state::Store& store_;
  View view_;
  state::Revision seen_ = 0;  // nothing of instances has changed since
};

}  // namespace pileus::control
