// MigrationController: takes instances that move to another host step by step there (migration.h). Each step is one
// transaction, decided on what is: whoever is killed between two of them is followed by the next.
//
// It gives up, and the instance stays where it is, when the other host is lost or gets no new instances any more, when the
// instance is to end, and when the disks do not get there in time.
#pragma once

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

inline constexpr model::Millis kMigrationPatience = 3600ULL * 1000;

class MigrationController : public Controller {
 public:
  MigrationController(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), clock_(clock), view_(view_or_own(std::move(view), store)), work_(view_) {}
  Result<u32> run_once() override;

 private:
  struct Step;
  Result<bool> act(const InstanceView& instance);
  Result<bool> give_up(const InstanceView& instance, const std::string& why);
  Result<bool> take_down(const InstanceView& instance);
  Result<bool> arrive(const InstanceView& instance, const Step& step);

  state::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
};

}  // namespace pileus::control
