#include "engine/bt/block_emitter.h"

#include <algorithm>
#include <cstddef>

namespace pileus::engine::bt {

void BlockEmitter::load_guest(unsigned host, unsigned guest) { out_.load_gs(host, offsetof(Context, gpr) + 8 * guest); }
void BlockEmitter::store_guest(unsigned guest, unsigned host) { out_.store_gs(offsetof(Context, gpr) + 8 * guest, host); }

// The record a stub hands to C++, behind the code that hands it over.
void BlockEmitter::emit_site(const u8* callout, const Site& site, const u8* retry, const u8* next) {
  u8* reference = out_.lea_rip(kT1);
  out_.jmp(callout);
  while ((reinterpret_cast<u64>(out_.at()) & 7) != 0 && !out_.overflowed()) out_.byte(0xCC);
  if (out_.overflowed()) return;
  Assembler::patch(reference, out_.at());
  Site filled = site;
  filled.block = &block_;
  filled.retry = retry == nullptr ? 0 : static_cast<i32>(retry - out_.at());
  filled.next = next == nullptr ? 0 : static_cast<i32>(next - out_.at());
  out_.bytes(&filled, sizeof filled);
}

// Leaves at `page_offset` when the 32-bit field of the Context is not zero; flags stay.
void BlockEmitter::poll(u16 page_offset, u64 field) {
  out_.load_gs32(kT0, field);
  out_.jecxz(5);
  poll_stubs_.push_back({out_.jmp(), page_offset});
}

void BlockEmitter::interpret(const TraceInsn& at, bool ends) {
  Site site{};
  site.page_offset = at.page_offset;
  site.length = at.insn.info.length;
  site.insn = cache_.intern(at.insn);
  u8* reference = out_.lea_rip(kT1);
  out_.jmp(stubs_.interpret);
  while ((reinterpret_cast<u64>(out_.at()) & 7) != 0 && !out_.overflowed()) out_.byte(0xCC);
  if (out_.overflowed()) return;
  Assembler::patch(reference, out_.at());
  site.block = &block_;
  site.next = ends ? 0 : static_cast<i32>(sizeof site);
  out_.bytes(&site, sizeof site);
}

void BlockEmitter::push(const TraceInsn& at) {
  const ZydisDecodedOperand& value = at.insn.operand[0];
  const bool memory = at.memory_operand >= 0;
  if (memory) {
    const HostOperand from = probe(at, guest_operand(at), 8, false);
    out_.load(kT0, from.base, from.index, from.displacement);
    out_.store_gs(offsetof(Context, scratch) + 24, kT0);
  }
  const HostOperand to = probe(at, stack_operand(-8), 8, true);
  if (value.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    out_.byte(0x48 | Assembler::rex_xb(to.base, to.index)), out_.byte(0xC7);
    out_.operand(0, to.base, to.index, 1, to.displacement);
    out_.dword(static_cast<u32>(value.imm.value.s));
  } else if (memory) {
    out_.load_gs(kT0, offsetof(Context, scratch) + 24);
    out_.store(to.base, to.index, to.displacement, kT0);
  } else {
    bool high = false;
    const unsigned guest = gpr_number(value.reg.value, &high);
    if (is_spilled(guest)) load_guest(kT0, guest);
    out_.store(to.base, to.index, to.displacement, is_spilled(guest) ? kT0 : host_register(guest));
  }
  out_.lea(kRsp, kRsp, -8);
}

void BlockEmitter::pop(const TraceInsn& at) {
  bool high = false;
  const unsigned guest = gpr_number(at.insn.operand[0].reg.value, &high);
  const HostOperand from = probe(at, stack_operand(0), 8, false);
  out_.load(is_spilled(guest) ? kT0 : host_register(guest), from.base, from.index, from.displacement);
  if (is_spilled(guest)) store_guest(guest, kT0);
  out_.lea(kRsp, kRsp, 8);
}

void BlockEmitter::leave(const TraceInsn& at) {
  GuestOperand frame;
  frame.base = kRbp;
  const HostOperand from = probe(at, frame, 8, false);
  out_.load(kT0, from.base, from.index, from.displacement);
  out_.lea(kRsp, kRbp, 8);
  out_.mov(kRbp, kT0);
}

void BlockEmitter::insn(const Trace& trace, unsigned i) {
  const TraceInsn& at = trace.at[i];
  switch (at.kind) {
    case Kind::kCopy:
      if (!copy(at)) interpret(at, false);
      break;
    case Kind::kNop: break;
    case Kind::kPush: push(at); break;
    case Kind::kPop: pop(at); break;
    case Kind::kLeave: leave(at); break;
    case Kind::kClearIf: out_.store_gs8(offsetof(Context, if_flag), 0); break;
    case Kind::kSetIf: out_.store_gs8(offsetof(Context, if_flag), 1); break;
    case Kind::kDirection:
      out_.store_gs8(offsetof(Context, df_flag), at.insn.info.mnemonic == ZYDIS_MNEMONIC_STD ? 1 : 0);
      break;
    case Kind::kCall: call(at); break;
    case Kind::kCallIndirect: call_indirect(at); break;
    case Kind::kJump: exit_to(branch_target(at), 0); break;
    case Kind::kJumpIndirect: jump_indirect(at); break;
    case Kind::kBranch: branch(at); break;
    case Kind::kCountBranch: count_branch(at); break;
    case Kind::kReturn: ret(at); break;
    case Kind::kInterpret: interpret(at, false); break;
    case Kind::kInterpretEnd: interpret(at, true); break;
  }
  // After the instruction that follows STI.
  if (i > 0 && trace.at[i - 1].kind == Kind::kSetIf && i + 1 < trace.count) {
    poll(trace.at[i + 1].page_offset, offsetof(Context, irq_waiting));
  }
}

namespace {
bool falls_through(Kind kind) {
  switch (kind) {
    case Kind::kCall:
    case Kind::kCallIndirect:
    case Kind::kJump:
    case Kind::kJumpIndirect:
    case Kind::kBranch:
    case Kind::kCountBranch:
    case Kind::kReturn:
    case Kind::kInterpretEnd: return false;
    case Kind::kCopy:
    case Kind::kNop:
    case Kind::kPush:
    case Kind::kPop:
    case Kind::kLeave:
    case Kind::kClearIf:
    case Kind::kSetIf:
    case Kind::kDirection:
    case Kind::kInterpret: return true;
  }
  return true;
}
}  // namespace

bool BlockEmitter::emit_cell(const TraceInsn& at) {
  insn_start_.push_back(0);
  const bool encoded = copy(at, true);
  out_.jmp(stubs_.leave);
  return encoded && !out_.overflowed();
}

bool BlockEmitter::emit(const Trace& trace) {
  for (unsigned i = 0; i < trace.count; ++i) {
    insn_start_.push_back(out_.offset());
    block_.marks.push_back({out_.offset(), trace.at[i].page_offset});
    insn(trace, i);
  }
  insn_start_.push_back(out_.offset());
  if (falls_through(trace.at[trace.count - 1].kind)) exit_to(trace.end_offset, 0);

  for (const MemoryStub& stub : memory_stubs_) {
    // A terminator has no "next" on its straight path.
    const bool goes_on = falls_through(trace.at[stub.insn].kind);
    emit_memory_stub(stub, goes_on ? out_.begin() + insn_start_[stub.insn + 1] : nullptr);
  }
  for (const PollStub& stub : poll_stubs_) {
    if (out_.overflowed()) return false;
    Assembler::patch(stub.jump, out_.at());
    Site site{};
    site.page_offset = stub.page_offset;
    emit_site(stubs_.poll, site, nullptr, nullptr);
  }
  for (const FarStub& stub : far_stubs_) {
    if (out_.overflowed()) return false;
    Assembler::patch(stub.jump, out_.at());
    far_exit(stub.target);
  }
  for (const ExitStub& stub : exit_stubs_) {
    if (out_.overflowed()) return false;
    Assembler::patch(stub.jump, out_.at());
    Link& link = block_.link[stub.number];
    link.site = stub.jump;
    link.unlinked = out_.at();
    Site site{};
    site.page_offset = stub.target;
    site.flag = static_cast<u8>(stub.number);
    emit_site(stubs_.link, site, nullptr, nullptr);
  }
  block_.host_size = out_.offset();
  return !out_.overflowed();
}

}  // namespace pileus::engine::bt
