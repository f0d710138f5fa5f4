#include "executed_steps.h"

#include <algorithm>

namespace pileus::cpu_test {

namespace {

// Follows the steps, as the generator lays them out, up to the last one.
class Walk {
 public:
  Walk(const std::vector<Step>& steps, std::size_t last) : steps_(steps), last_(last) {}

  std::vector<const Step*> run() {
    std::vector<const Step*> done;
    std::size_t at = 0;
    // Loops are left at once, so that nothing comes twice.
    for (std::size_t i = 0; i < steps_.size() && at < last_; ++i) {
      done.push_back(&steps_[at]);
      at = next(at);
    }
    if (at != last_) return {};
    done.push_back(&steps_[last_]);
    return done;
  }

 private:
  std::size_t next(std::size_t at) {
    const Step& step = steps_[at];
    const std::size_t behind = at + 1;
    switch (step.info.meta.category) {  // NOLINT: the ones that jump, of a large enumeration
      case ZYDIS_CATEGORY_CALL: calls_.push_back(behind); return target(step).value_or(behind + 1);
      case ZYDIS_CATEGORY_RET: {
        if (calls_.empty()) return behind + 1;  // PUSH, RET, INT3
        const std::size_t back = calls_.back();
        calls_.pop_back();
        return back;
      }
      case ZYDIS_CATEGORY_UNCOND_BR: return target(step).value_or(behind + 1);  // else JMP to behind an INT3
      case ZYDIS_CATEGORY_COND_BR: {
        const std::size_t to = target(step).value_or(behind);
        const bool skips = to > at && !(at < last_ && last_ < to);
        return skips ? to : behind;
      }
      default: return behind;
    }
  }

  std::optional<std::size_t> target(const Step& step) const {
    if (step.operand[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) return std::nullopt;
    const u64 address = step.address + step.info.length + static_cast<u64>(step.operand[0].imm.value.s);
    const auto found =
        std::find_if(steps_.begin(), steps_.end(), [&](const Step& one) { return one.address == address; });
    return static_cast<std::size_t>(found - steps_.begin());
  }

  const std::vector<Step>& steps_;
  const std::size_t last_;
  std::vector<std::size_t> calls_;  // where the callees return to
};

}  // namespace

std::vector<const Step*> executed_steps(const std::vector<Step>& steps, const Outcome& end) {
  const auto last =
      std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.address == end.state.rip; });
  if (last == steps.end()) return {};
  std::vector<const Step*> done = Walk(steps, static_cast<std::size_t>(last - steps.begin())).run();
  // The end of every program is none of the case's.
  if (end.ending == Ending::kExit && !done.empty()) done.pop_back();
  return done;
}

}  // namespace pileus::cpu_test
