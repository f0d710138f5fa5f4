#include "known_deviations.h"

#include <algorithm>

namespace pileus::cpu_test {

namespace {
constexpr u8 kDebug = 1, kGeneralProtection = 13;
constexpr u8 kInt1 = 0xF1;

// Both end in an exception of the same step, of which `matches` holds.
template <typename Matches>
bool both_fault_at(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare, Matches matches) {
  if (is.ending != Ending::kException || bare.ending != Ending::kException || is.state.rip != bare.state.rip)
    return false;
  return std::any_of(steps.begin(), steps.end(),
                     [&](const Step& step) { return step.address == bare.state.rip && matches(step); });
}
}  // namespace

bool branched_nowhere(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare) {
  if (is.vector != kGeneralProtection || bare.vector != kGeneralProtection || is.state.rip == bare.state.rip)
    return false;
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return step.address == bare.state.rip && step.info.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE;
  });
}

bool is_faulting_half_store(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare) {
  return both_fault_at(steps, is, bare,
                       [](const Step& step) { return step.info.mnemonic == ZYDIS_MNEMONIC_VCVTPS2PH; });
}

bool is_torn_x87_store(const std::vector<Step>& steps, const Outcome& bare) {
  constexpr u64 kPage = 4096;
  constexpr unsigned kLongDouble = 80;
  return both_fault_at(steps, bare, bare, [&](const Step& step) {
    const ZydisDecodedOperand& operand = step.operand[0];
    return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.size == kLongDouble &&
           (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0 && bare.cr2 % kPage == 0;
  });
}

bool is_faulting_mmx_store(const std::vector<Step>& steps, const Outcome& is, const Outcome& bare) {
  return both_fault_at(steps, is, bare, [](const Step& step) {
    return step.operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY && step.operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(step.operand[1].reg.value) == ZYDIS_REGCLASS_MMX;
  });
}

bool is_int1_seen_as_fault(const std::vector<u8>& code, u64 code_address, const Outcome& is, const Outcome& bare) {
  if (is.vector != kDebug || bare.vector != kDebug || is.state.rip != bare.state.rip + 1) return false;
  const u64 at = bare.state.rip - code_address;
  return at < code.size() && code[at] == kInt1;
}

}  // namespace pileus::cpu_test
