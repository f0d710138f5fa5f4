#include "engine/bt/fast_system.h"

#include <algorithm>

#include "engine/bt/events.h"
#include "engine/bt/page_walk.h"
#include "engine/bt/runtime.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kResumeFlag = 1U << 16;

// Sanitizers put functions of their own, which use vector registers, in the place of memcpy() and others.
#ifdef PILEUS_SANITIZED
constexpr bool kAvailable = false;
#else
constexpr bool kAvailable = true;
#endif

bool moves_control_register(const Insn& insn, unsigned operand, ZydisRegister* reg) {
  *reg =
      insn.operand[operand].type == ZYDIS_OPERAND_TYPE_REGISTER ? insn.operand[operand].reg.value : ZYDIS_REGISTER_NONE;
  return ZydisRegisterGetClass(*reg) == ZYDIS_REGCLASS_CONTROL;
}

bool moves_debug_register(const Insn& insn) {
  return std::any_of(insn.operand.begin(), insn.operand.begin() + 2, [](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_DEBUG;
  });
}

// CR0 and CR4 decide what is translated how, CR8 belongs to the local APIC; debug registers may be guarded (DR7.GD).
bool is_fast_move(const Insn& insn) {
  if (moves_debug_register(insn)) return false;
  ZydisRegister reg = ZYDIS_REGISTER_NONE;
  if (moves_control_register(insn, 0, &reg)) return reg == ZYDIS_REGISTER_CR2 || reg == ZYDIS_REGISTER_CR3;
  if (moves_control_register(insn, 1, &reg)) return reg != ZYDIS_REGISTER_CR8;
  return true;
}

bool is_fast(const Insn& insn) {
  switch (insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSRET:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_SWAPGS:
    case ZYDIS_MNEMONIC_PUSHFQ:
    case ZYDIS_MNEMONIC_POPFQ:
    case ZYDIS_MNEMONIC_STAC:
    case ZYDIS_MNEMONIC_CLAC:
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_RDTSC:
    case ZYDIS_MNEMONIC_RDTSCP:
    case ZYDIS_MNEMONIC_RDFSBASE:
    case ZYDIS_MNEMONIC_RDGSBASE:
    case ZYDIS_MNEMONIC_WRFSBASE:
    case ZYDIS_MNEMONIC_WRGSBASE:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_XGETBV:
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVEOPT:
    case ZYDIS_MNEMONIC_XSAVEOPT64:
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_INVPCID:
    case ZYDIS_MNEMONIC_VERW:
    case ZYDIS_MNEMONIC_LAR:
    case ZYDIS_MNEMONIC_LSL:
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_MOVSB:
    case ZYDIS_MNEMONIC_MOVSW:
    case ZYDIS_MNEMONIC_MOVSQ:
    case ZYDIS_MNEMONIC_STOSB:
    case ZYDIS_MNEMONIC_STOSW:
    case ZYDIS_MNEMONIC_STOSD:
    case ZYDIS_MNEMONIC_STOSQ:
    case ZYDIS_MNEMONIC_LODSB:
    case ZYDIS_MNEMONIC_LODSW:
    case ZYDIS_MNEMONIC_LODSD:
    case ZYDIS_MNEMONIC_LODSQ:
    case ZYDIS_MNEMONIC_SCASB:
    case ZYDIS_MNEMONIC_SCASW:
    case ZYDIS_MNEMONIC_SCASD:
    case ZYDIS_MNEMONIC_SCASQ:
    case ZYDIS_MNEMONIC_CMPSB:
    case ZYDIS_MNEMONIC_CMPSW:
    case ZYDIS_MNEMONIC_CMPSQ: return true;
    // Also the names of SSE2 instructions.
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_CMPSD: return insn.info.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
    case ZYDIS_MNEMONIC_MOV: return is_fast_move(insn);
    default: return false;
  }
}

// Handlers that work on general registers, flags and memory alone.
bool is_general(Handler handler) {
  for (const Handler one :
       {op_binary,  op_compare,  op_unary,       op_shift,     op_double_shift, op_mul,      op_imul,
        op_div,     op_bit_scan, op_count_zeros, op_popcnt,    op_bswap,        op_xadd,     op_xchg,
        op_cmpxchg, op_movzx,    op_movsx,       op_lea,       op_push,         op_pop,      op_cmov,
        op_setcc,   op_jmp,      op_call,        op_ret,       op_jcc,          op_leave,    op_convert,
        op_nop,     op_cli,      op_bmi_flags,   op_bmi_shift, op_movbe,        op_direction}) {
    if (handler == one) return true;
  }
  return false;
}

// Where to go on after RIP or the privilege changed.
u8* go(Context& c) {
  select_returns(c.returns, c.cpl == 3 ? 1 : 0);
  const Stubs& stubs = c.vm->stubs();
  return const_cast<u8*>(must_leave(c) ? stubs.leave : stubs.go[c.mode()]);
}

// The instruction at RIP. False: it could not be done so, or not to its end.
bool run_in_place(Context& c, const Insn& insn, Handler handler) {
  Exec e{c, insn, c.rip + insn.info.length};
  c.vectors_in_place = true;
  const bool done = handler(e) && !e.repeat;
  c.vectors_in_place = false;
  if (!done) return false;
  ++c.stats.fast_system;
  c.rip = e.next;
  c.shadow = e.shadow;
  if (insn.info.mnemonic != ZYDIS_MNEMONIC_IRETQ) c.rflags &= ~kResumeFlag;
  return true;
}

}  // namespace

Handler fast_handler(const Insn& insn) { return kAvailable && is_fast(insn) ? handler_of(insn) : nullptr; }

u8* fast_system(Context* context, const Site* at, u64) {
  Context& c = *context;
  if (c.debug != nullptr) return nullptr;  // it may want to stop here
  c.doing_fast(Activity::kInterpret);
  SystemSite site;
  __builtin_memcpy(&site, at, sizeof site);
  const Insn& insn = *site.insn.insn;
  c.rip = c.vpage + site.page_offset;
  if (!run_in_place(c, insn, site.handler)) return nullptr;
  if (!site.falls_through || c.mode() != site.mode || must_leave(c)) return go(c);
  return const_cast<u8*>(reinterpret_cast<const u8*>(at) + sizeof site);
}

u8* fast_step(Context* context, const Site* at, u64) {
  Context& c = *context;
  if (!kAvailable || c.debug != nullptr) return nullptr;
  c.doing_fast(Activity::kInterpret);
  c.rip = c.vpage + c.vm->code().block_at(at->block)->marks()[at->value].guest_offset;
  c.vectors_in_place = true;
  const Insn* insn = find_decoded(c);
  c.vectors_in_place = false;
  if (insn == nullptr || !(is_fast(*insn) || is_general(handler_of(*insn)))) return nullptr;
  return run_in_place(c, *insn, handler_of(*insn)) ? go(c) : nullptr;
}

u8* fast_fault(Context* context, const Site* at, u64 address) {
  Context& c = *context;
  if (!kAvailable || c.debug != nullptr) return nullptr;
  if ((address & kPageMask) + at->size > 4096 || is_misaligned(*at, address) || (at->flag & kSiteOwnFault) != 0)
    return nullptr;
  const Block& block = *c.vm->code().block_at(at->block);
  const Access access = (at->flag & kSiteWrites) != 0 ? Access::kWrite : Access::kRead;
  // fast_memory() was here a moment ago, and has left what it found.
  if (c.fault.vector != kVectorPf || c.fault.address != address) {
    Walk walk;
    if (walk_pages(c, address, access, block.mode(), &walk) || c.fault.vector != kVectorPf) return nullptr;
  }
  c.rip = c.vpage + block.marks()[at->value].guest_offset;
  c.vectors_in_place = true;
  const bool delivered = deliver_first_fault(c);
  c.vectors_in_place = false;
  if (!delivered) return nullptr;
  ++c.stats.fast_faults;
  return go(c);
}

}  // namespace pileus::engine::bt
