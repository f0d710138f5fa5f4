// Which engine runs a VM, and why: what was asked for, and what a trial on this host has shown.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "vmm/config.h"

namespace pileus::vmm {

struct EngineDecision {
  EngineChoice engine = EngineChoice::kBt;  // never kAuto
  std::string reason;                       // for people, without a full stop
  bool warn = false;                        // the person's choice works, but badly
};

// `probe` is asked only where its answer matters. An error: kvm was asked for and cannot be used.
Result<EngineDecision> decide_engine(EngineChoice wanted, const std::function<engine::KvmProbe()>& probe);

}  // namespace pileus::vmm
