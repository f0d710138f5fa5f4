#include "vmm/engine_choice.h"

namespace pileus::vmm {

Result<EngineDecision> decide_engine(EngineChoice wanted, const std::function<engine::KvmProbe()>& probe) {
  if (wanted == EngineChoice::kBt) return EngineDecision{EngineChoice::kBt, "asked for", false};
  const engine::KvmProbe found = probe();
  if (wanted == EngineChoice::kKvm) {
    if (!found.usable) return Error(ErrorCode::kUnsupported, found.reason);
    if (found.near_native) return EngineDecision{EngineChoice::kKvm, "asked for; " + found.reason, false};
    return EngineDecision{EngineChoice::kKvm, "asked for, though " + found.reason, true};
  }
  const bool fast = found.usable && found.near_native;
  return EngineDecision{fast ? EngineChoice::kKvm : EngineChoice::kBt, found.reason, false};
}

}  // namespace pileus::vmm
