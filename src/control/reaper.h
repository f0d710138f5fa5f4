// Ends what has ended: terminates what no host ever had, gives back the room of terminated instances, forgets them after
// an hour, and forgets tokens a day after the last of their instances is forgotten.
#pragma once

#include "control/controller.h"
#include "control/view.h"

namespace pileus::control {

inline constexpr model::Millis kTerminatedLife = 3600ULL * 1000;

class Reaper : public Controller {
 public:
  Reaper(state::Store& store, const Clock& clock) : store_(store), clock_(clock), view_(store) {}
  Result<u32> run_once() override;

 private:
  Result<bool> end_unplaced(const InstanceView& instance);
  Result<bool> release(const InstanceView& instance);
  Result<bool> forget(const InstanceView& instance);
  Result<u32> forget_tokens();
  Result<bool> is_in_use(const model::Idempotency& token) const;

  state::Store& store_;
  const Clock& clock_;
  View view_;
  model::Millis tokens_seen_at_ = 0;
};

}  // namespace pileus::control
