#include "comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "arena_image.h"
#include "executed_steps.h"
#include "expectation.h"
#include "known_deviations.h"

namespace pileus::cpu_test {

namespace {

constexpr int kBareLimitMs = 50;  // thousands of times what a case needs
constexpr int kGuestLimitMs = 60'000;  // on a machine that does other things as well
constexpr u32 kAmdMxcsr = 1U << 17;  // misaligned operands: our guests have processors where it is reserved

template <typename Work>
void for_pages(Work work) {
  u64 offset = 0;
  for (const Stretch& stretch : kArena) {
    for (u64 at = stretch.base; at < stretch.base + stretch.size; at += kPageBytes, offset += kPageBytes)
      work(at, offset);
  }
}

// What differences() looks at, less flags: much faster when there is none, as nearly always.
bool same_registers(const UserState& one, const UserState& other) {
  if (one.gpr != other.gpr || one.rip != other.rip || one.ymm != other.ymm) return false;
  const u8* a = one.fx.data();
  const u8* b = other.fx.data();
  for (unsigned i = 0; i < 8; ++i) {
    if (std::memcmp(a + kFxSt + 16 * i, b + kFxSt + 16 * i, 10) != 0) return false;
  }
  return std::memcmp(a, b, kFxTag + 1) == 0 && std::memcmp(a + kFxMxcsr, b + kFxMxcsr, 4) == 0 &&
         std::memcmp(a + kFxXmm, b + kFxXmm, 16 * 16) == 0;
}

// Flags that nobody may count on where the case ended. The translator keeps none at a fault that the code overwrites
// before it reads them.
u64 undefined_at(const std::vector<Step>& steps, const std::vector<u64>& undefined, const Outcome& end,
                 bool translated) {
  u64 all = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    all |= undefined[i];
    if (steps[i].address != end.state.rip) continue;
    if (end.ending != Ending::kException) return undefined[i];
    // A fault inside of a repeated comparison finds flags of the iteration before or of none (SDM vol. 2, REP).
    const bool within = (steps[i].info.attributes & (ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
    return (within ? kArithmeticFlags : undefined[i]) | (translated ? dead_flags(steps, i) : 0);
  }
  return translated && end.ending == Ending::kException ? kArithmeticFlags
                                                        : all;  // after a wild jump: who knows to what
}

// Whether a jump led into the middle of an instruction. What stands there may be one that only a kernel may execute, such as
// HLT, and engines are compared at CPL 0 as well.
bool ended_amid(const std::vector<Step>& steps, const Outcome& end) {
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return end.state.rip > step.address && end.state.rip < step.address + step.info.length;
  });
}

// CMPS may look at either operand first.
bool faults_in_comparison(const std::vector<Step>& steps, const Outcome& end) {
  return end.ending == Ending::kException && std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
           return step.address == end.state.rip && step.info.meta.category == ZYDIS_CATEGORY_STRINGOP &&
                  (step.info.opcode & 0xFE) == 0xA6;
         });
}

bool is_masked_move(ZydisMnemonic mnemonic) {
  switch (mnemonic) {  // NOLINT: the wanted ones of a large enumeration
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ: return true;
    default: return false;
  }
}

// The fault of a masked move may name any byte of it, and it may reach from the end of the address space to its start.
bool faults_in_masked_move(const std::vector<Step>& steps, const Outcome& is, const Outcome& end) {
  constexpr u64 kMostBytes = 32;
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return step.address == end.state.rip && is_masked_move(step.info.mnemonic) &&
           is.cr2 - end.cr2 + kMostBytes - 1 < 2 * kMostBytes - 1;
  });
}

}  // namespace

Result<std::unique_ptr<Comparator>> Comparator::create(std::optional<Way> only) {
  std::unique_ptr<BareProcessor> bare = TRY(BareProcessor::create());
  std::unique_ptr<Comparator> self(new Comparator(std::move(bare)));
  for (const Way way : kWays) {
    if (only && way != *only) continue;
    for (const unsigned cpl : {0U, 3U}) {
      if (way == Way::kDirect && cpl == 0) continue;
      Guest one;
      one.guest = TRY(UserGuest::create(way, cpl));
      one.translated = way != Way::kInterpreter;
      one.name = fmt::format("{} at CPL {}", name_of(way), cpl);
      self->guests_.push_back(std::move(one));
    }
  }
  self->image_ = make_arena_image();
  std::memcpy(self->bare_->arena(), self->image_.data(), kArenaBytes);
  for (const Stretch& stretch : kArena) {
    const u8* at = arena_at(self->image_.data(), stretch.base, stretch.size);
    for (Guest& one : self->guests_) one.guest->write(stretch.base, {at, stretch.size});
  }
  return self;
}

// The code of a case, and what can be said of it before it runs.
struct Comparator::Program {
  std::vector<u8> code;
  std::vector<Step> steps;
  std::vector<u64> undefined;  // flags, before each step
};

// Nothing where a branch does not reach, or flags are read that are undefined.
std::optional<Comparator::Program> Comparator::prepare(const FuzzCase& test) {
  Program out;
  auto code = assemble(test);
  if (!code) return std::nullopt;
  out.code = std::move(*code);
  out.steps = decode_steps(out.code, test.state.rip);
  auto undefined = undefined_flags(out.steps);
  if (!undefined) return std::nullopt;
  out.undefined = std::move(*undefined);
  return out;
}

FuzzCase Comparator::without_faults(FuzzCase test) {
  std::optional<Program> program = prepare(test);
  while (program && test.units.size() > 1) {
    const Outcome end = run_bare(program->code, test.state);
    restore_bare();
    const auto unit = end.ending == Ending::kException ? unit_at(test, end.state.rip) : std::nullopt;
    if (!unit) break;
    FuzzCase smaller = without(test, *unit);
    program = prepare(smaller);
    if (program) test = std::move(smaller);
  }
  return test;
}

// The bare processor goes first: where it cannot judge the engines, they need not run.
Comparison Comparator::compare(const FuzzCase& test) {
  Comparison out;
  const std::optional<Program> program = prepare(test);
  out.usable = program.has_value();
  if (!out.usable) return out;
  const std::vector<u8>& code = program->code;
  out.bare = run_bare(code, test.state);
  u32 mxcsr = 0;
  std::memcpy(&mxcsr, out.bare.state.fx.data() + kFxMxcsr, sizeof mxcsr);
  out.usable = (out.bare.ending == Ending::kExit || out.bare.ending == Ending::kException) && (mxcsr & kAmdMxcsr) == 0;
  out.usable = out.usable && !ended_amid(program->steps, out.bare);
  // Code that changed itself may have become anything, also what only a kernel may do.
  const u8* after = arena_at(bare_->arena(), test.state.rip, code.size());
  out.usable = out.usable && std::memcmp(after, code.data(), code.size()) == 0;
  if (!out.usable) {
    restore_bare();
    return out;
  }
  for (Guest& one : guests_) {
    one.guest->write(test.state.rip, code);
    one.outcome = one.guest->run(test.state, kGuestLimitMs);
  }
  compare_outcomes(*program, test.state.rip, &out);
  for (const Step* step : executed_steps(program->steps, out.bare)) out.executed.push_back(step->info.mnemonic);
  restore_memory(is_torn_x87_store(program->steps, out.bare) ? nullptr : &out.differences);
  return out;
}

Outcome Comparator::run_bare(const std::vector<u8>& code, const UserState& state) {
  std::memcpy(arena_at(bare_->arena(), state.rip, code.size()), code.data(), code.size());
  bare_->start(state);
  return bare_->finish(kBareLimitMs);
}

void Comparator::compare_outcomes(const Program& program, u64 code_address, Comparison* out) {
  const std::vector<Step>& steps = program.steps;
  const bool either_operand = faults_in_comparison(steps, out->bare);
  for (const Guest& one : guests_) {
    Expectation expectation;
    expectation.undefined_flags = undefined_at(steps, program.undefined, out->bare, one.translated);
    const u64 flags = kNamedFlags & ~expectation.undefined_flags;
    Outcome is = one.outcome;
    if (one.translated && branched_nowhere(steps, is, out->bare)) continue;
    if (either_operand && is.ending == out->bare.ending) {
      is.vector = out->bare.vector;
      is.cr2 = out->bare.cr2;
      is.page_fault = out->bare.page_fault;
    }
    if (faults_in_masked_move(steps, is, out->bare)) is.cr2 = out->bare.cr2;
    if (is_faulting_half_store(steps, is, out->bare))
      std::memcpy(is.state.fx.data() + kFxMxcsr, out->bare.state.fx.data() + kFxMxcsr, 4);
    if (is_faulting_mmx_store(steps, is, out->bare)) {
      std::memcpy(is.state.fx.data() + kFxStatus, out->bare.state.fx.data() + kFxStatus, 2);
      std::memcpy(is.state.fx.data() + kFxSt, out->bare.state.fx.data() + kFxSt, kFxXmm - kFxSt);
    }
    if (is_int1_seen_as_fault(program.code, code_address, is, out->bare)) is.state.rip = out->bare.state.rip;
    const bool same = is.ending == out->bare.ending && is.vector == out->bare.vector && is.cr2 == out->bare.cr2 &&
                      is.page_fault == out->bare.page_fault && same_registers(is.state, out->bare.state) &&
                      ((is.state.rflags ^ out->bare.state.rflags) & flags) == 0;
    if (same) continue;
    for (const std::string& text : differences(expectation, is, out->bare))
      out->differences.push_back(one.name + ": " + text);
  }
}

void Comparator::restore_bare() {
  for_pages([&](u64, u64 offset) {
    u8* bare = bare_->arena() + offset;
    const u8* image = image_.data() + offset;
    if (std::memcmp(bare, image, kPageBytes) != 0) std::memcpy(bare, image, kPageBytes);
  });
}

// To what it was before the case, which wrote to few pages. With `differences`, tells of each guest's first byte that is not as
// on the bare processor.
void Comparator::restore_memory(std::vector<std::string>* differences) {
  std::vector<bool> found(guests_.size());
  for_pages([&](u64 address, u64 offset) {
    const u8* image = image_.data() + offset;
    u8* bare = bare_->arena() + offset;
    const bool bare_wrote = std::memcmp(bare, image, kPageBytes) != 0;
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      Guest& one = guests_[i];
      u8* is = one.guest->host(address);
      const bool wrote = std::memcmp(is, image, kPageBytes) != 0;
      if (!wrote && !bare_wrote) continue;
      const u64 at = differences == nullptr || found[i] ? 0 : page_difference(address, is, bare);
      if (at != 0) {
        found[i] = true;
        differences->push_back(
            fmt::format("{}: byte at {:#x} is {:02x} and {:02x}", one.name, at, is[at - address], bare[at - address]));
      }
      if (!wrote) continue;
      std::memcpy(is, image, kPageBytes);
      one.guest->written(address, kPageBytes);
    }
    if (bare_wrote) std::memcpy(bare, image, kPageBytes);
  });
}

}  // namespace pileus::cpu_test
