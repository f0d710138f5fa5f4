// Ends what has ended: terminates what no host ever had, gives back the room of terminated instances, forgets them after
// an hour, and forgets tokens a day after the last of their instances is forgotten.
#pragma once

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

inline constexpr model::Millis kTerminatedLife = 3600ULL * 1000;

class Reaper : public Controller {
 public:
  Reaper(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), clock_(clock), view_(view_or_own(std::move(view), store)), work_(view_) {}
  Result<u32> run_once() override;

 private:
  bool is_due(model::InstanceId id, const InstanceView& instance);
  Result<bool> act(const InstanceView& instance);
  Result<bool> end_unplaced(const InstanceView& instance);
  Result<bool> release(const InstanceView& instance);
  void keep_volumes(Change& change, const InstanceView& instance);
  Result<bool> forget(const InstanceView& instance);
  Result<u32> forget_tokens();
  Result<bool> is_in_use(const model::Idempotency& token);

  state::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<SharedView> view_;
  Worklist work_;
  std::multimap<model::Millis, model::InstanceId> ended_;  // by when they are to be forgotten
  model::Millis tokens_seen_at_ = 0;
};

}  // namespace pileus::control
