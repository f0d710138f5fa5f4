// CloneController: what there is to do between the wish for a clone and its launch (docs/adr/0058).
//
//   - A clone whose snapshots are completed gets their layers as its disks, and then waits for a host as any new instance.
//   - One of whose snapshots was lost or cannot be taken is terminated: it never was anywhere.
//   - Snapshots that were taken for clones alone are forgotten when no clone waits for them any more.
#pragma once

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

class CloneController : public Controller {
 public:
  CloneController(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), clock_(clock), view_(view_or_own(std::move(view), store)), work_(view_) {}
  Result<u32> run_once() override;

 private:
  Result<u32> fill_clones();
  Result<u32> forget_snapshots();
  // False: its snapshots are not completed yet, or somebody was quicker.
  Result<bool> fill(const InstanceView& clone);
  Result<bool> fail(const InstanceView& clone, const std::string& why);
  // Its owner is told what a snapshot waits for.
  Result<> note_waiting(const InstanceView& clone, const std::string& why);
  Result<bool> forget_if_unneeded(const SnapshotView& snapshot);

  state::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
};

}  // namespace pileus::control
