#include "known_deviations.h"

#include <algorithm>

namespace pileus::cpu_test {

namespace {
constexpr u8 kDebug = 1, kStackFault = 12, kGeneralProtection = 13, kPageFault = 14, kX87Fault = 16;
constexpr u8 kInt1 = 0xF1;
}  // namespace

bool is_known_deviation(const Outcome& is, const Outcome& bare) {
  if (is.ending != Ending::kException || bare.ending != Ending::kException || is.state.rip != bare.state.rip)
    return false;
  const bool operand_fault = is.vector == kPageFault || is.vector == kGeneralProtection || is.vector == kStackFault;
  return bare.vector == kX87Fault && operand_fault;
}

bool branched_nowhere(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare) {
  if (is.vector != kGeneralProtection || bare.vector != kGeneralProtection || is.state.rip == bare.state.rip)
    return false;
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return step.address == bare.state.rip && step.info.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE;
  });
}

bool is_int1_seen_as_fault(const std::vector<u8>& code, u64 code_address, const Outcome& is, const Outcome& bare) {
  if (is.vector != kDebug || bare.vector != kDebug || is.state.rip != bare.state.rip + 1) return false;
  const u64 at = bare.state.rip - code_address;
  return at < code.size() && code[at] == kInt1;
}

}  // namespace pileus::cpu_test
