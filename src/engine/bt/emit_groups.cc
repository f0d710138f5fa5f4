// Accesses that share one look at the TLB (groups.h).
#include <cstddef>

#include "engine/bt/block_emitter.h"

namespace pileus::engine::bt {

namespace {

constexpr unsigned kAbove = 7;  // condition of JA
static_assert(Groups::kSlots == sizeof(Context::shared) / sizeof(u64));
constexpr u64 kAligned8 = offsetof(Context, stack_mask) + u64{8} * 3;

}  // namespace

u64 BlockEmitter::addend_of(const Sharing& sharing) const {
  if (sharing.base != kRsp) return offsetof(Context, shared) + u64{8} * sharing.slot;
  return tlb_offset(block_.mode(), sharing.write) + offsetof(Tlb, stack) + offsetof(Tlb::Stack, addend);
}

// Whether all bytes of the group are where the TLB leads; the displacement of the jump that is taken if not. Clobbers T0 and
// T1, and leaves the TLB's index in T1 but for the stack. Leaves flags alone where they are live.
u8* BlockEmitter::check_group(Assembler& out, const Sharing& group, bool flags_live) {
  const unsigned base = host_register(group.base);
  const u64 tlb = tlb_offset(block_.mode(), group.write);
  const bool stack = group.base == kRsp;
  const i32 last = group.low + static_cast<i32>(group.size) - 1;
  if (stack) {
    out.load_gs(kT0, tlb + offsetof(Tlb, stack) + offsetof(Tlb::Stack, neg_tag));
  } else {
    if (group.low != 0) out.lea(kT1, base, group.low);
    out.pext_gs(kT1, group.low != 0 ? kT1 : base, offsetof(Context, index_mask));
    out.load_gs_indexed(kT0, kT1, tlb + offsetof(Tlb, neg_tag));
  }
  if (!flags_live) {
    out.lea(kT0, base, kT0, 1, group.low);
    out.cmp_imm(kT0, static_cast<i32>(4096 - group.size));
    return out.jcc(kAbove);
  }
  if (stack) {  // Its entry may be that of the page before or behind: both ends have to be looked at.
    out.lea(kT0, base, kT0, 1, group.low);
    out.lea(kT1, kT0, static_cast<i32>(group.size) - 8);
    out.pext_gs(kT0, kT0, kAligned8);
    out.pext_gs(kT1, kT1, kAligned8);
    out.lea(kT0, kT0, kT1, 1, 0);
  } else {
    out.lea(kT0, base, kT0, 1, last);
    out.pext_gs(kT0, kT0, offsetof(Context, page_mask));
  }
  out.jrcxz(5);
  return out.jmp();
}

// Leaves the addend in T1.
void BlockEmitter::enter_group(const TraceInsn& at, const Sharing& group) {
  u8* miss = check_group(out_, group, at.flags_live);
  group_stubs_.push_back({miss, out_.at(), static_cast<u16>(index_), at.flags_live, group});
  if (group.base == kRsp) {
    out_.load_gs(kT1, addend_of(group));
    return;
  }
  out_.load_gs_indexed(kT1, kT1, tlb_offset(block_.mode(), group.write) + offsetof(Tlb, addend));
  out_.store_gs(addend_of(group), kT1);
}

BlockEmitter::HostOperand BlockEmitter::shared_operand(const TraceInsn& at, const Sharing& sharing, i32 displacement) {
  const u64 addend = addend_of(sharing);
  if (sharing.role == Sharing::Role::kFirst) enter_group(at, sharing);
  else if (in_t1_ != addend) out_.load_gs(kT1, addend);
  in_t1_ = addend;
  return {host_register(sharing.base), kT1, displacement};
}

BlockEmitter::HostOperand BlockEmitter::probe_stack(const TraceInsn& at, i32 displacement, bool write) {
  const Sharing& sharing = groups_.stack[index_];
  if (sharing.role != Sharing::Role::kAlone) return shared_operand(at, sharing, displacement);
  return probe(at, stack_operand(displacement), 8, write);
}

void BlockEmitter::emit_group_stub(const GroupStub& stub) {
  Assembler::patch(stub.jump, cold_.at());
  const Sharing& group = stub.group;
  const unsigned base = host_register(group.base);
  const bool stack = group.base == kRsp;
  if (stack) {  // Code that went to another stack a moment ago.
    cold_.lea(kT0, base, group.low + static_cast<i32>(group.size) - 8);
    cold_.call(stubs_.use_for_stack[block_.mode()][group.write ? 1 : 0]);
    cold_.jrcxz(5);
    u8* absent = cold_.jmp();
    u8* beyond = check_group(cold_, group, stub.flags_live);
    cold_.jmp(stub.back);
    if (cold_.overflowed()) return;
    Assembler::patch(absent, cold_.at());
    Assembler::patch(beyond, cold_.at());
  }
  cold_.lea(kT0, base, group.low);
  const unsigned flags = (group.write ? unsigned{kSiteWrites} : 0U) | (stack ? unsigned{kSiteStack} : 0U);
  emit_site(cold_, stubs_.group, stub.insn, group.size, static_cast<u8>(flags));
}

}  // namespace pileus::engine::bt
