// Moves, stack and addresses.
#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/system.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kIf = 1U << 9, kIopl = 3U << 12, kVm = 1U << 17, kRf = 1U << 16, kVif = 3U << 19;

bool is_class(Exec& e, unsigned i, ZydisRegisterClass kind) {
  return e.operand(i).type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(e.operand(i).reg.value) == kind;
}
unsigned register_id(Exec& e, unsigned i) { return static_cast<unsigned>(ZydisRegisterGetId(e.operand(i).reg.value)); }

bool move_system(Exec& e) {
  Context& context = e.context;
  if (context.cpl != 0) return context.raise(kVectorGp, 0);
  u64 value = 0;
  if (is_class(e, 0, ZYDIS_REGCLASS_CONTROL))
    return read_operand(e, 1, &value) && write_cr(context, register_id(e, 0), value);
  if (is_class(e, 1, ZYDIS_REGCLASS_CONTROL))
    return read_cr(context, register_id(e, 1), &value) && write_operand(e, 0, value);
  if (!check_general_detect(context)) return false;
  if (is_class(e, 0, ZYDIS_REGCLASS_DEBUG))
    return read_operand(e, 1, &value) && write_dr(context, register_id(e, 0), value);
  return read_dr(context, register_id(e, 1), &value) && write_operand(e, 0, value);
}

SegmentIndex segment_of_operand(Exec& e, unsigned i) {
  return static_cast<SegmentIndex>(ZydisRegisterGetId(e.operand(i).reg.value));
}

bool move_to_segment(Exec& e, u64 selector) {
  const SegmentIndex index = segment_of_operand(e, 0);
  if (index == kCs) return e.context.raise(kVectorUd);
  if (!load_segment(e.context, index, static_cast<u16>(selector))) return false;
  e.shadow = index == kSs;
  return true;
}

}  // namespace

bool op_mov(Exec& e) {
  const bool system = is_class(e, 0, ZYDIS_REGCLASS_CONTROL) || is_class(e, 1, ZYDIS_REGCLASS_CONTROL) ||
                      is_class(e, 0, ZYDIS_REGCLASS_DEBUG) || is_class(e, 1, ZYDIS_REGCLASS_DEBUG);
  if (system) return move_system(e);
  u64 value = 0;
  if (!read_operand(e, 1, &value)) return false;
  if (is_class(e, 0, ZYDIS_REGCLASS_SEGMENT)) return move_to_segment(e, value);
  return write_operand(e, 0, value);
}

bool op_movzx(Exec& e) {
  u64 value = 0;
  return read_operand(e, 1, &value) && write_operand(e, 0, value & mask_of(e.width(1)));
}

bool op_movsx(Exec& e) {
  u64 value = 0;
  const bool copies = e.insn.info.mnemonic == ZYDIS_MNEMONIC_MOVSXD && e.width(0) == 16;
  if (copies && e.is_memory(1)) {  // MOVSXD with a 16-bit operand reads no more than that
    u64 linear = 0;
    return linear_address(e, e.operand(1), 2, &linear) && read_memory(e.context, linear, &value, 2, e.context.mode()) &&
           write_operand(e, 0, value);
  }
  return read_operand(e, 1, &value) &&
         write_operand(e, 0, static_cast<u64>(sign_extend(value & mask_of(e.width(1)), e.width(1))));
}

bool op_lea(Exec& e) {
  const ZydisDecodedOperandMem& mem = e.operand(1).mem;
  u64 offset = mem.disp.has_displacement ? static_cast<u64>(mem.disp.value) : 0;
  if (mem.base == ZYDIS_REGISTER_RIP || mem.base == ZYDIS_REGISTER_EIP) offset += e.context.rip + e.insn.info.length;
  else if (mem.base != ZYDIS_REGISTER_NONE) offset += read_register(e.context, mem.base);
  if (mem.index != ZYDIS_REGISTER_NONE) offset += read_register(e.context, mem.index) * mem.scale;
  return write_operand(e, 0, offset & mask_of(e.insn.info.address_width));
}

bool op_push(Exec& e) {
  u64 value = 0;
  return read_operand(e, 0, &value) && push(e, value, e.insn.info.operand_width / 8);
}

bool op_pop(Exec& e) {
  const unsigned bytes = e.insn.info.operand_width / 8;
  u64 value = 0;
  const u64 before = e.context.gpr[kRsp];
  if (!pop(e, bytes, &value)) return false;
  // The destination's address is computed with the stack pointer after the pop.
  const bool fine = is_class(e, 0, ZYDIS_REGCLASS_SEGMENT) ? move_to_segment(e, value) : write_operand(e, 0, value);
  if (!fine) e.context.gpr[kRsp] = before;
  return fine;
}

bool op_pusha(Exec& e) {
  const unsigned bytes = e.insn.info.operand_width / 8;
  const u64 before = e.context.gpr[kRsp];
  for (const unsigned reg : {kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi}) {
    if (push(e, reg == kRsp ? before : e.context.gpr[reg], bytes)) continue;
    e.context.gpr[kRsp] = before;
    return false;
  }
  return true;
}

bool op_popa(Exec& e) {
  const unsigned bytes = e.insn.info.operand_width / 8;
  u64 values[8];
  for (unsigned i = 0; i < 8; ++i) {
    if (!read_stack(e, stack_pointer(e.context) + u64{i} * bytes, bytes, &values[i])) return false;
  }
  constexpr unsigned kOrder[8] = {kRdi, kRsi, kRbp, kRsp, kRbx, kRdx, kRcx, kRax};
  for (unsigned i = 0; i < 8; ++i) {
    if (kOrder[i] == kRsp) continue;
    u64& target = e.context.gpr[kOrder[i]];
    target = bytes == 2 ? (target & ~u64{0xFFFF}) | values[i] : values[i];
  }
  set_stack_pointer(e.context, stack_pointer(e.context) + u64{8} * bytes);
  return true;
}

bool op_pushf(Exec& e) { return push(e, e.context.flags() & ~(kVm | kRf), e.insn.info.operand_width / 8); }

// SDM vol. 2, POPF: who may change what.
bool op_popf(Exec& e) {
  Context& context = e.context;
  const unsigned bytes = e.insn.info.operand_width / 8;
  u64 value = 0;
  if (!pop(e, bytes, &value)) return false;
  u64 changeable = 0x3F7FD7 & ~(kVm | kRf | kVif);
  if (context.cpl > (context.rflags >> 12 & 3) && !is_real_mode(context)) changeable &= ~kIf;
  if (context.cpl != 0 && !is_real_mode(context)) changeable &= ~kIopl;
  if (bytes == 2) changeable &= 0xFFFF;
  context.set_flags((context.flags() & ~changeable & ~kRf) | (value & changeable));
  return true;
}

bool op_enter(Exec& e) {
  Context& context = e.context;
  const unsigned bytes = e.insn.info.operand_width / 8;
  const u64 size = e.operand(0).imm.value.u & 0xFFFF;
  const u64 level = e.operand(1).imm.value.u & 31;
  const u64 before = context.gpr[kRsp];
  const auto undo = [&] {
    context.gpr[kRsp] = before;
    return false;
  };
  if (!push(e, context.gpr[kRbp], bytes)) return false;
  const u64 frame = stack_pointer(context);
  u64 link = context.gpr[kRbp];
  for (u64 i = 1; i < level; ++i) {
    link -= bytes;
    u64 value = 0;
    if (!read_stack(e, link, bytes, &value) || !push(e, value, bytes)) return undo();
  }
  if (level > 0 && !push(e, frame, bytes)) return undo();
  // SDM vol. 2, ENTER: the new top of the stack has to be writable.
  set_stack_pointer(context, stack_pointer(context) - size);
  u64 linear = 0, gpa = 0;
  const bool fine = linear_address(e, ZYDIS_REGISTER_SS, stack_pointer(context), bytes, true, &linear) &&
                    translate(context, linear, Access::kWrite, context.mode(), &gpa);
  if (!fine) return undo();
  context.gpr[kRbp] = bytes == 2 ? (context.gpr[kRbp] & ~u64{0xFFFF}) | (frame & 0xFFFF) : frame;
  return true;
}

bool op_leave(Exec& e) {
  Context& context = e.context;
  const unsigned bytes = e.insn.info.operand_width / 8;
  u64 value = 0;
  if (!read_stack(e, context.gpr[kRbp], bytes, &value)) return false;
  set_stack_pointer(context, context.gpr[kRbp] + bytes);
  context.gpr[kRbp] = bytes == 2 ? (context.gpr[kRbp] & ~u64{0xFFFF}) | value : value;
  return true;
}

// The caches are the host's; what is left is that a page has to be there.
bool op_clflush(Exec& e) {
  u64 linear = 0;
  u64 gpa = 0;
  return linear_address(e, e.operand(0), 1, &linear) &&
         translate(e.context, linear, Access::kRead, e.context.mode(), &gpa);
}

bool op_xlat(Exec& e) {
  ZydisRegister segment = ZYDIS_REGISTER_DS;
  for (unsigned i = 0; i < e.insn.info.operand_count; ++i) {
    if (e.is_memory(i)) segment = e.operand(i).mem.segment;
  }
  const u64 offset = (e.context.gpr[kRbx] + (e.context.gpr[kRax] & 0xFF)) & mask_of(e.insn.info.address_width);
  u64 linear = 0;
  u8 value = 0;
  if (!linear_address(e, segment, offset, 1, false, &linear) ||
      !read_value(e.context, linear, &value, e.context.mode()))
    return false;
  write_register(e.context, ZYDIS_REGISTER_AL, value);
  return true;
}

bool op_load_far(Exec& e) {
  const unsigned bytes = e.width(0) / 8;
  u64 linear = 0, offset = 0;
  u16 selector = 0;
  if (!linear_address(e, e.operand(1), bytes + 2, &linear)) return false;
  const Mode mode = e.context.mode();
  if (!read_memory(e.context, linear, &offset, bytes, mode) || !read_value(e.context, linear + bytes, &selector, mode))
    return false;
  SegmentIndex index = kDs;
  switch (e.insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_LES: index = kEs; break;
    case ZYDIS_MNEMONIC_LFS: index = kFs; break;
    case ZYDIS_MNEMONIC_LGS: index = kGs; break;
    case ZYDIS_MNEMONIC_LSS: index = kSs; break;
    default: break;
  }
  return load_segment(e.context, index, selector) && write_operand(e, 0, offset);
}

bool op_bound(Exec& e) {
  const unsigned bytes = e.width(0) / 8;
  u64 linear = 0, bounds[2] = {0, 0}, index = 0;
  if (!read_operand(e, 0, &index) || !linear_address(e, e.operand(1), 2 * bytes, &linear)) return false;
  if (!read_memory(e.context, linear, &bounds[0], bytes, e.context.mode())) return false;
  if (!read_memory(e.context, linear + bytes, &bounds[1], bytes, e.context.mode())) return false;
  const i64 at = sign_extend(index, e.width(0));
  const bool inside = at >= sign_extend(bounds[0], e.width(0)) && at <= sign_extend(bounds[1], e.width(0));
  return inside || e.context.raise(kVectorBr);
}

bool op_cmov(Exec& e) {
  u64 value = 0, old = 0;
  if (!read_operand(e, 1, &value) || !read_operand(e, 0, &old)) return false;
  const bool holds = condition_holds(e.context.rflags, e.insn.info.opcode & 15);
  return write_operand(e, 0, holds ? value : old);  // a 32-bit one clears the upper half either way
}

bool op_setcc(Exec& e) {
  return write_operand(e, 0, condition_holds(e.context.rflags, e.insn.info.opcode & 15) ? 1 : 0);
}

}  // namespace pileus::engine::bt
