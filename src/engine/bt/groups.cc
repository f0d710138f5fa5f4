#include "engine/bt/groups.h"

#include <algorithm>

#include "engine/bt/interp.h"
#include "engine/bt/registers.h"

namespace pileus::engine::bt {

namespace {

constexpr i32 kMostBytes = 128;  // the longer, the more often on two pages
constexpr unsigned kMostActive = 8;
static_assert(kMaxTrace <= 64);  // bits of Groups::inside

// base + displacement alone, with a base that is in a host register.
bool is_simple_operand(const TraceInsn& at) {
  const ZydisDecodedOperandMem& mem = at.insn.operand[static_cast<std::size_t>(at.memory_operand)].mem;
  bool high = false;
  const unsigned base = gpr_number(mem.base, &high);
  return base != kNoReg && !is_spilled(base) && mem.index == ZYDIS_REGISTER_NONE && mem.segment != ZYDIS_REGISTER_FS &&
         mem.segment != ZYDIS_REGISTER_GS && at.insn.info.address_width == 64;
}

// A group that may still grow.
struct Candidate {
  unsigned base = kNoReg;
  bool write = false;
  unsigned first = 0, last = 0;  // instructions
  bool first_is_stack = false;
  unsigned members = 0;
  i32 low = 0, high = 0;  // from the base register as it was at the first
  i32 moved = 0;  // by how much it has changed since
};

class Finder {
 public:
  Finder(const Trace& trace, Groups* groups) : trace_(trace), groups_(*groups) {}

  void run() {
    for (unsigned i = 0; i < trace_.count; ++i) {
      const TraceInsn& at = trace_.at[i];
      if (!may_be_inside(at)) {
        close_all();
        continue;
      }
      if (at.memory_operand >= 0 && is_simple_operand(at)) {
        const ZydisDecodedOperand& operand = at.insn.operand[static_cast<std::size_t>(at.memory_operand)];
        bool high = false;
        const unsigned base = gpr_number(operand.mem.base, &high);
        const bool write = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
        access(i, false, base, displacement_of(operand), operand.size / 8, write);
      }
      switch (at.kind) {
        case Kind::kPush:
        case Kind::kCall: access(i, true, kRsp, -8, 8, true); break;
        case Kind::kPop:
        case Kind::kReturn: access(i, true, kRsp, 0, 8, false); break;
        default: break;
      }
      apply_writes(at);
    }
    close_all();
  }

 private:
  static i32 displacement_of(const ZydisDecodedOperand& operand) {
    return static_cast<i32>(operand.mem.disp.has_displacement ? operand.mem.disp.value : 0);
  }

  // Neither C++ nor anything that has to be probed alone is in its code, whichever registers it names.
  static bool may_be_inside(const TraceInsn& at) {
    switch (at.kind) {
      case Kind::kNop:
      case Kind::kClearIf:
      case Kind::kPop:
      case Kind::kCall:
      case Kind::kReturn: return true;
      case Kind::kPush: return at.memory_operand < 0;
      case Kind::kCopy: break;
      default: return false;
    }
    unsigned spilled = 0;
    for (unsigned i = 0; i < at.insn.info.operand_count; ++i) {
      const ZydisDecodedOperand& operand = at.insn.operand[i];
      if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
      bool high = false;
      const unsigned guest = gpr_number(operand.reg.value, &high);
      if (guest == kNoReg) continue;
      if (high || (guest == kRcx && operand.visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)) return false;
      if (is_spilled(guest)) ++spilled;
    }
    return spilled < 2 && !waits_for_x87(at.insn) && at.insn.info.mnemonic != ZYDIS_MNEMONIC_VCVTPS2PH;
  }

  void access(unsigned i, bool stack, unsigned base, i32 displacement, i32 size, bool write) {
    for (unsigned k = 0; k < active_; ++k) {
      Candidate& group = candidate_[k];
      if (group.base != base || group.write != write) continue;
      const i64 at = i64{group.moved} + displacement;  // a sum of what has 32 bits each
      i64 low = std::min<i64>(group.low, at), high = std::max<i64>(group.high, at + size);
      if (base == kRsp) low &= ~7, high = (high + 7) & ~7;
      if (high - low > kMostBytes) {
        close(k);
        break;
      }
      group.low = static_cast<i32>(low), group.high = static_cast<i32>(high), group.last = i;
      member_[group.members][k] = {i, stack};
      ++group.members;
      return;
    }
    // Far from zero there would be more to say about what wraps around.
    if (active_ == kMostActive || displacement < -0x40000000 || displacement > 0x40000000) return;
    Candidate group{base, write, i, i, stack, 1, displacement, displacement + size, 0};
    if (base == kRsp) group.low &= ~7, group.high = (group.high + 7) & ~7;
    member_[0][active_] = {i, stack};
    candidate_[active_++] = group;
  }

  // By how much the instruction changes RSP; false: nobody knows.
  static bool stack_change(const TraceInsn& at, i32* change) {
    const ZydisDecodedOperand* operand = at.insn.operand.data();
    bool high = false;
    if (at.kind == Kind::kPush) return *change = -8, true;
    if (at.kind == Kind::kPop) return *change = 8, gpr_number(operand[0].reg.value, &high) != kRsp;
    const ZydisMnemonic what = at.insn.info.mnemonic;
    if (at.insn.info.operand_width != 64) return false;
    i64 value = 0;
    if ((what == ZYDIS_MNEMONIC_ADD || what == ZYDIS_MNEMONIC_SUB) && operand[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
      value = what == ZYDIS_MNEMONIC_ADD ? operand[1].imm.value.s : -operand[1].imm.value.s;
    } else if (what == ZYDIS_MNEMONIC_LEA && operand[1].mem.base == ZYDIS_REGISTER_RSP &&
               operand[1].mem.index == ZYDIS_REGISTER_NONE && at.insn.info.address_width == 64) {
      value = operand[1].mem.disp.has_displacement ? operand[1].mem.disp.value : 0;
    } else {
      return false;
    }
    *change = static_cast<i32>(value);
    return value >= -0x10000 && value <= 0x10000;
  }

  void apply_writes(const TraceInsn& at) {
    for (unsigned i = 0; i < at.insn.info.operand_count; ++i) {
      const ZydisDecodedOperand& operand = at.insn.operand[i];
      if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER || (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0)
        continue;
      bool high = false;
      const unsigned guest = gpr_number(operand.reg.value, &high);
      if (guest == kNoReg) continue;
      i32 change = 0;
      const bool known = guest == kRsp && stack_change(at, &change);
      for (unsigned k = active_; k-- > 0;) {
        if (candidate_[k].base != guest) continue;
        if (known) candidate_[k].moved += change;
        else close(k);
      }
    }
  }

  void close(unsigned k) {
    const Candidate group = candidate_[k];
    u8 slot = 0;
    const bool stack = group.base == kRsp;
    const bool shared = group.members >= 2 && (stack || slots_ < Groups::kSlots);
    if (shared && !stack) slot = static_cast<u8>(slots_++);
    for (unsigned m = 0; shared && m < group.members; ++m) {
      const Member member = member_[m][k];
      Sharing& sharing = member.stack ? groups_.stack[member.insn] : groups_.operand[member.insn];
      sharing = {m == 0 ? Sharing::Role::kFirst : Sharing::Role::kMember,
                 group.write,
                 slot,
                 static_cast<u8>(group.base),
                 static_cast<u8>(group.high - group.low),
                 group.low};
    }
    if (shared) {
      for (unsigned i = group.first + 1; i <= group.last; ++i) groups_.inside |= u64{1} << i;
    }
    --active_;
    candidate_[k] = candidate_[active_];
    for (unsigned m = 0; m < candidate_[k].members; ++m) member_[m][k] = member_[m][active_];
  }

  void close_all() {
    while (active_ != 0) close(active_ - 1);
  }

  struct Member {
    unsigned insn = 0;
    bool stack = false;
  };
  const Trace& trace_;
  Groups& groups_;
  std::array<Candidate, kMostActive> candidate_;
  unsigned active_ = 0;
  unsigned slots_ = 0;
  std::array<std::array<Member, kMostActive>, kMaxTrace> member_{};  // [n-th][candidate]
};

}  // namespace

void find_groups(const Trace& trace, Groups* groups) {
  *groups = {};
  Finder(trace, groups).run();
}

}  // namespace pileus::engine::bt
