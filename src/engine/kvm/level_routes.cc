#include "engine/kvm/level_routes.h"

#include <algorithm>

namespace pileus::engine::kvm {

bool LevelRoutes::learn(const guest::MsiMessage& message) {
  if (std::find(slots_.begin(), slots_.end(), message) != slots_.end()) return false;
  slots_[next_] = message;
  next_ = (next_ + 1) % kSlots;
  return true;
}

}  // namespace pileus::engine::kvm
