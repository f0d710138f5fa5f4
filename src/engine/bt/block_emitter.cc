#include "engine/bt/block_emitter.h"

#include <algorithm>
#include <cstddef>

#include "engine/bt/fast_system.h"

namespace pileus::engine::bt {

void BlockEmitter::load_guest(Assembler& out, unsigned host, unsigned guest) {
  out.load_gs(host, offsetof(Context, gpr) + 8 * guest);
}
void BlockEmitter::store_guest(unsigned guest, unsigned host) {
  out_.store_gs(offsetof(Context, gpr) + 8 * guest, host);
}

// Calls C++ with a record that stands right behind.
void BlockEmitter::emit_site(Assembler& out, const u8* callout, u16 value, u8 size, u8 flag) {
  u8* reference = out.lea_rip(kT1);
  out.jmp(callout);
  if (out.overflowed()) return;
  Assembler::patch(reference, out.at());
  const Site site{cache_.reference(block_), value, size, flag};
  out.note(stored::Place::kBlock);
  out.bytes(&site, sizeof site);
}

// Leaves at `page_offset` when the 32-bit field of the Context is not zero; flags stay.
void BlockEmitter::poll(u16 page_offset, u64 field) {
  out_.load_gs32(kT0, field);
  out_.jecxz(5);
  poll_stubs_.push_back({out_.jmp(), page_offset});
}

void BlockEmitter::interpret(Assembler& out, const TraceInsn& at, unsigned index) {
  const Handler fast = fast_handler(at.insn);
  emit_site(out, fast != nullptr ? stubs_.system : stubs_.interpret, static_cast<u16>(index), 0, 0);
  const Insn* insn = cache_.intern(at.insn);
  out.note(stored::Place::kInsn);
  out.bytes(&insn, sizeof insn);
  if (fast == nullptr) return;
  out.note(stored::Place::kHandler);
  SystemSite site{{}, fast, at.page_offset, block_.mode(), falls_through(at.kind)};
  out.bytes(reinterpret_cast<const u8*>(&site) + sizeof site.insn, sizeof site - sizeof site.insn);
}

// What follows is right as long as the next page holds the instruction's end.
void BlockEmitter::look_at_next_page(const TraceInsn& at) {
  std::array<u8, 16> bytes{}, mask{};
  const unsigned here = 4096U - at.page_offset;
  for (unsigned i = here; i < at.insn.info.length; ++i) bytes[i - here] = at.insn.bytes[i], mask[i - here] = 0xFF;
  emit_site(out_, stubs_.straddle, static_cast<u16>(index_), 0, 0);
  out_.bytes(bytes.data(), bytes.size());
  out_.bytes(mask.data(), mask.size());
}

void BlockEmitter::push(const TraceInsn& at) {
  const ZydisDecodedOperand& value = at.insn.operand[0];
  const bool memory = at.memory_operand >= 0;
  if (memory) {
    const HostOperand from = probe(at, guest_operand(at), 8, false, Room::kBoth);
    out_.load(kT0, from.base, from.index, from.displacement);
    out_.store_gs(offsetof(Context, scratch) + 24, kT0);
  }
  const HostOperand to = probe_stack(at, -8, true);
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
  out_.lea(kHostRsp, kHostRsp, -8);
}

void BlockEmitter::pop(const TraceInsn& at) {
  bool high = false;
  const unsigned guest = gpr_number(at.insn.operand[0].reg.value, &high);
  const HostOperand from = probe_stack(at, 0, false);
  out_.load(is_spilled(guest) ? kT0 : host_register(guest), from.base, from.index, from.displacement);
  if (guest == kRsp) return;
  if (is_spilled(guest)) store_guest(guest, kT0);
  out_.lea(kHostRsp, kHostRsp, 8);
}

void BlockEmitter::leave(const TraceInsn& at) {
  GuestOperand frame;
  frame.base = kRbp;
  const HostOperand from = probe(at, frame, 8, false);
  out_.load(kT0, from.base, from.index, from.displacement);
  out_.lea(kHostRsp, kRbp, 8);
  out_.mov(kRbp, kT0);
}

// Whether T1 is after the instruction's access what it was before, or what shared_operand() has put there. Behind calls and
// returns nobody looks.
bool BlockEmitter::keeps_t1(const TraceInsn& at) const {
  switch (at.kind) {
    case Kind::kNop:
    case Kind::kClearIf: return true;
    case Kind::kPush:
    case Kind::kPop:
    case Kind::kCall:
    case Kind::kReturn: return groups_.stack[index_].role != Sharing::Role::kAlone;
    case Kind::kCopy:
      if (at.memory_operand >= 0) return groups_.operand[index_].role != Sharing::Role::kAlone;
      return !copy_clobbers_t1(at.insn);
    default: return false;
  }
}

void BlockEmitter::insn(const Trace& trace, unsigned i) {
  const TraceInsn& at = trace.at[i];
  if (at.straddles) look_at_next_page(at);
  if (!keeps_t1(at)) in_t1_ = kNothing;
  switch (at.kind) {
    case Kind::kCopy:
      if (!copy(at)) {
        CHECK(groups_.operand[i].role == Sharing::Role::kAlone);
        interpret(at);
      }
      break;
    case Kind::kNop: break;
    case Kind::kPush: push(at); break;
    case Kind::kPop: pop(at); break;
    case Kind::kLeave: leave(at); break;
    case Kind::kClearIf: out_.store_gs8(offsetof(Context, if_flag), 0); break;
    case Kind::kSetIf: set_if(); break;
    case Kind::kDirection:
      out_.store_gs8(offsetof(Context, df_flag), at.insn.info.mnemonic == ZYDIS_MNEMONIC_STD ? 1 : 0);
      break;
    case Kind::kSetAc: set_ac(at); break;
    case Kind::kSwapGs: swap_gs(); break;
    case Kind::kReadTsc: read_tsc(at); break;
    case Kind::kPushFlags: push_flags(at); break;
    case Kind::kReadControl: read_control(at); break;
    case Kind::kReadSelector: read_selector(at); break;
    case Kind::kStringStore: string_store(at); break;
    case Kind::kStringCopy: string_copy(at); break;
    case Kind::kBitTest: bit_test(at); break;
    case Kind::kCall: call(at); break;
    case Kind::kCallIndirect: call_indirect(at); break;
    case Kind::kJump: jump(at); break;
    case Kind::kJumpIndirect: jump_indirect(at); break;
    case Kind::kBranch: branch(at); break;
    case Kind::kCountBranch: count_branch(at); break;
    case Kind::kReturn: ret(at); break;
    case Kind::kInterpret: interpret(at); break;
    case Kind::kInterpretEnd: interpret(at); break;
    case Kind::kStraddle: emit_site(out_, stubs_.step, static_cast<u16>(index_), 0, 0); break;
  }
}

bool BlockEmitter::emit_cell(const TraceInsn& at) {
  const bool encoded = copy(at, true);
  out_.jmp(stubs_.leave);
  return encoded && !out_.overflowed();
}

// The ways that are seldom taken, or once.
void BlockEmitter::emit_cold(const Trace& trace) {
  for (const MemoryStub& stub : memory_stubs_) emit_memory_stub(stub);
  for (const GroupStub& stub : group_stubs_) emit_group_stub(stub);
  for (const PollStub& stub : poll_stubs_) {
    Assembler::patch(stub.jump, cold_.at());
    emit_site(cold_, stubs_.poll, stub.page_offset, 0, 0);
  }
  for (const SlowStub& stub : slow_stubs_) {
    for (unsigned i = 0; i < stub.jumps; ++i) Assembler::patch(stub.jump[i], cold_.at());
    interpret(cold_, trace.at[stub.insn], stub.insn);
    cold_.jmp(stub.back);
  }
  for (const FarStub& stub : far_stubs_) {
    Assembler::patch(stub.jump, cold_.at());
    far_exit(cold_, stub.target, block_.mode());
  }
  for (const FarStub& stub : elsewhere_stubs_) {
    Assembler::patch(stub.jump, cold_.at());
    cold_.lea(kT0, kT0, stub.target);
    cold_.jmp(stubs_.return_elsewhere[block_.mode() == kModeUser ? 1 : 0]);
  }
  for (const ExitStub& stub : exit_stubs_) emit_exit_stub(stub);
}

// Where an exit leads while it is not linked; and, of a far one, where it leads when it cannot be.
void BlockEmitter::emit_exit_stub(const ExitStub& stub) {
  Assembler::patch(stub.jump, cold_.at());
  const bool far = !on_page(stub.target);
  const auto offset = static_cast<u16>(stub.target & 4095);
  Link& link = block_.link[stub.number];
  link.site = static_cast<u16>(stub.jump - block_.host);
  link.leads_to = static_cast<u16>(offset | stub.mode << kLinkMode | (far ? kLinkFar : 0));
  link.unlinked = static_cast<u32>(cold_.at() - block_.host);
  emit_site(cold_, stubs_.link, offset, stub.mode, static_cast<u8>(stub.number | (far ? kSiteFar : 0)));
  if (!far) return;
  CHECK(cold_.overflowed() || cold_.at() == block_.host + link.unlinked + kUnlinkedBytes);
  cold_.load_gs(kT0, offsetof(Context, vpage));
  cold_.lea(kT0, kT0, offset);
  emit_indirect_jump(cold_, stub.mode, stubs_);
}

bool BlockEmitter::emit(const Trace& trace) {
  InsnMark* marks = block_.marks();
  if (!block_.key().alone) find_groups(trace, &groups_);
  block_.inside = groups_.inside;
  for (index_ = 0; index_ < trace.count; ++index_) {
    marks[index_] = {static_cast<u16>(out_.offset()), trace.at[index_].page_offset};
    insn(trace, index_);
  }
  marks[trace.count] = {static_cast<u16>(out_.offset()), trace.end_offset};
  block_.insn_count = static_cast<u8>(trace.count);
  block_.falls_through = falls_through(trace.at[trace.count - 1].kind);
  if (block_.falls_through) exit_to(trace.end_offset, 0);

  if (out_.overflowed()) return false;
  emit_cold(trace);
  block_.host_size = out_.offset();
  return !out_.overflowed() && !cold_.overflowed();
}

}  // namespace pileus::engine::bt
