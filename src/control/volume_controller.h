// VolumeController: what befalls volumes through others.
//
//   - A volume whose instance is over goes with it, or parts from it: as the instance's record says.
//   - A volume that is to be attached on another host than where it lives moves: its host hands it over, then the other one
//     gets it under a new epoch. What was handed over and is not wanted elsewhere any more goes back.
//   - A deleted volume whose host was removed from the cloud is forgotten.
//   - A snapshot that nobody can take any more has failed.
//   - An image of snapshots is available when the last of them is completed, and failed when one is lost.
#pragma once

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

class VolumeController : public Controller {
 public:
  VolumeController(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), clock_(clock), view_(view_or_own(std::move(view), store)), work_(view_) {}
  Result<u32> run_once() override;

 private:
  enum class Step { kNone, kForget, kPart, kAskFor, kTake, kKeep };
  // What is to be done with it now, and on which host it is to live.
  struct Plan {
    Step step = Step::kNone;
    model::HostId host;
  };
  static Plan plan_for(const View& view, const VolumeView& volume);
  static Plan plan_of_move(const View& view, const VolumeView& volume);
  Result<bool> act(const VolumeView& volume, const Plan& plan);
  Result<bool> confirm_over(Change& change, model::InstanceId id);
  Result<bool> part(Change& change, const VolumeView& volume);
  Result<u32> act_on_volumes();
  Result<u32> fail_lost_snapshots();
  Result<u32> finish_images();
  Result<bool> finish_image(model::ImageId id);

  state::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
};

}  // namespace pileus::control
