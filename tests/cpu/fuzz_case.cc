#include "fuzz_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pileus::cpu_test {

namespace {

constexpr u64 kCf = 1, kAf = 0x10, kOf = 0x800;

const ZydisDecoder& decoder() {
  static const ZydisDecoder made = [] {
    ZydisDecoder out;
    ZydisDecoderInit(&out, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return out;
  }();
  return made;
}

struct FlagEffect {
  u64 read = 0;
  u64 written = 0;  // for certain
  u64 undefined = 0;
};

// The count of a shift, masked as the processor does, when the instruction says it.
std::optional<unsigned> shift_count(const Step& step, unsigned operand) {
  const ZydisDecodedOperand& count = step.operand[operand];
  if (count.type != ZYDIS_OPERAND_TYPE_IMMEDIATE) return std::nullopt;
  return static_cast<unsigned>(count.imm.value.u & (step.operand[0].size == 64 ? 63U : 31U));
}

// Zydis knows flags by the instruction alone; the manual goes by the count as well.
FlagEffect shift_effect(const Step& step, bool rotate, bool twofold) {
  const bool through_carry = step.info.mnemonic == ZYDIS_MNEMONIC_RCL || step.info.mnemonic == ZYDIS_MNEMONIC_RCR;
  const std::optional<unsigned> count = shift_count(step, twofold ? 2 : 1);
  const unsigned bits = step.operand[0].size;
  FlagEffect out;
  out.read = through_carry ? kCf : 0;
  if (count == 0U) return {};
  if (count != 1U) out.undefined |= kOf;
  if (!rotate) out.undefined |= kAf;
  const bool carry_undefined =
      !rotate && step.info.mnemonic != ZYDIS_MNEMONIC_SAR && bits < 32 && count.value_or(bits) >= bits;
  if (carry_undefined) out.undefined |= kCf;
  if (count) out.written = (rotate ? kCf | kOf : kArithmeticFlags) & ~out.undefined;
  return out;
}

FlagEffect flag_effect(const Step& step) {
  switch (step.info.mnemonic) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR: return shift_effect(step, false, false);
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR: return shift_effect(step, true, false);
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: return shift_effect(step, false, true);
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFQ: return {kArithmeticFlags, 0, 0};
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFQ: return {0, kArithmeticFlags, 0};
    default: break;
  }
  const ZydisAccessedFlags* flags = step.info.cpu_flags;
  if (flags == nullptr) return {};
  FlagEffect out;
  out.read = flags->tested & kArithmeticFlags;
  out.undefined = flags->undefined & kArithmeticFlags;
  constexpr auto kRep = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;
  const bool certain = (step.info.attributes & kRep) == 0;  // a count of zero writes none
  if (certain) out.written = (flags->modified | flags->set_0 | flags->set_1) & kArithmeticFlags & ~out.undefined;
  return out;
}

bool is_call(const Step& step) { return step.info.meta.category == ZYDIS_CATEGORY_CALL; }

// Steps that may follow step i.
template <typename Work>
void for_successors(const std::vector<Step>& steps, std::size_t i, Work work) {
  const Step& step = steps[i];
  const auto category = step.info.meta.category;
  const bool branch = category == ZYDIS_CATEGORY_COND_BR || category == ZYDIS_CATEGORY_UNCOND_BR || is_call(step);
  const bool falls_through = category != ZYDIS_CATEGORY_UNCOND_BR && category != ZYDIS_CATEGORY_RET && !is_call(step);
  if (falls_through && i + 1 < steps.size()) work(i + 1);
  if (category == ZYDIS_CATEGORY_RET) {
    for (std::size_t j = 0; j + 1 < steps.size(); ++j) {
      if (is_call(steps[j])) work(j + 1);
    }
  }
  const bool direct = branch && step.operand[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
  if (direct) {
    const u64 target = step.address + step.info.length + static_cast<u64>(step.operand[0].imm.value.s);
    for (std::size_t j = 0; j < steps.size(); ++j) {
      if (steps[j].address == target) work(j);
    }
  } else if (branch || category == ZYDIS_CATEGORY_RET) {
    for (std::size_t j = i + 1; j < steps.size(); ++j) work(j);  // somewhere ahead
  }
}

}  // namespace

std::optional<std::vector<u8>> assemble(const FuzzCase& test) {
  std::vector<u64> start;
  u64 at = test.state.rip;
  for (const Unit& unit : test.units) {
    start.push_back(at);
    at += unit.bytes.size();
  }
  start.push_back(at);
  std::vector<u8> code;
  for (std::size_t i = 0; i < test.units.size(); ++i) {
    const Unit& unit = test.units[i];
    const std::size_t base = code.size();
    code.insert(code.end(), unit.bytes.begin(), unit.bytes.end());
    for (const Fixup& fixup : unit.fixups) {
      const u64 target = fixup.to_unit ? start[std::min<u64>(fixup.target, test.units.size())] : fixup.target;
      const auto distance = static_cast<i64>(target - (start[i] + fixup.end));
      if (fixup.bytes == 1 && (distance < -128 || distance > 127)) return std::nullopt;
      std::memcpy(code.data() + base + fixup.offset, &distance, fixup.bytes);
    }
  }
  code.insert(code.end(), kExitCode.begin(), kExitCode.end());
  return code;
}

FuzzCase without(const FuzzCase& test, std::size_t gone) {
  FuzzCase out;
  out.state = test.state;
  out.may_fault = test.may_fault;
  for (std::size_t i = 0; i < test.units.size(); ++i) {
    if (i == gone) continue;
    Unit unit = test.units[i];
    for (Fixup& fixup : unit.fixups) {
      if (fixup.to_unit && fixup.target > gone) --fixup.target;
    }
    out.units.push_back(std::move(unit));
  }
  return out;
}

std::optional<std::size_t> unit_at(const FuzzCase& test, u64 address) {
  u64 start = test.state.rip;
  for (std::size_t i = 0; i < test.units.size(); ++i) {
    const u64 size = test.units[i].bytes.size();
    if (address - start < size) return i;
    start += size;
  }
  return std::nullopt;
}

bool decode_step(const u8* bytes, std::size_t length, u64 address, Step* out) {
  out->address = address;
  return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), bytes, length, &out->info, out->operand.data()));
}

std::vector<Step> decode_steps(const std::vector<u8>& code, u64 address) {
  std::vector<Step> steps;
  for (std::size_t done = 0; done < code.size();) {
    Step step;
    if (!decode_step(code.data() + done, code.size() - done, address + done, &step)) break;
    done += step.info.length;
    steps.push_back(step);
  }
  return steps;
}

std::string step_text(const Step& step) {
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  std::array<char, 128> text{};
  ZydisFormatterFormatInstruction(&formatter, &step.info, step.operand.data(), step.info.operand_count_visible,
                                  text.data(), text.size(), step.address, nullptr);
  return fmt::format("{:#x}: {}", step.address, text.data());
}

std::optional<std::vector<u64>> undefined_flags(const std::vector<Step>& steps) {
  std::vector<u64> before(steps.size(), 0);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const FlagEffect effect = flag_effect(steps[i]);
      if ((effect.read & before[i]) != 0) return std::nullopt;
      const u64 after = (before[i] & ~effect.written) | effect.undefined;
      for_successors(steps, i, [&](std::size_t next) {
        changed |= (after & ~before[next]) != 0;
        before[next] |= after;
      });
    }
  }
  return before;
}

u64 dead_flags(const std::vector<Step>& steps, std::size_t at) {
  u64 dead = 0;
  u64 live = 0;
  for (; at < steps.size() && steps[at].info.meta.branch_type == ZYDIS_BRANCH_TYPE_NONE; ++at) {
    const FlagEffect effect = flag_effect(steps[at]);
    live |= effect.read & ~dead;
    dead |= (effect.written | effect.undefined) & ~live;
  }
  return dead;
}

}  // namespace pileus::cpu_test
