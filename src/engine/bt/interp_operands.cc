#include "engine/bt/interp_operands.h"

#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/mmu.h"
#include "engine/bt/registers.h"
#include "engine/bt/segments.h"
#include "engine/bt/trace.h"
#include "engine/bt/vm.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

SegmentIndex segment_index(ZydisRegister reg) {
  switch (reg) {
    case ZYDIS_REGISTER_ES: return kEs;
    case ZYDIS_REGISTER_CS: return kCs;
    case ZYDIS_REGISTER_SS: return kSs;
    case ZYDIS_REGISTER_FS: return kFs;
    case ZYDIS_REGISTER_GS: return kGs;
    default: return kDs;
  }
}

bool is_canonical(u64 value) { return static_cast<u64>(static_cast<i64>(value << 16) >> 16) == value; }

bool check_segment(Context& context, SegmentIndex index, u64 offset, unsigned size, bool write) {
  const Segment& segment = context.segment[index];
  const u8 vector = index == kSs ? kVectorSs : kVectorGp;
  if (!is_real_mode(context)) {
    if ((segment.attributes & x86::kUnusable) != 0) return context.raise(kVectorGp, 0);
    const bool code = x86::is_code(segment.attributes);
    if (write && (code || (segment.attributes & x86::kTypeReadableWritable) == 0)) return context.raise(vector, 0);
  }
  const bool within = is_real_mode(context) ? offset + size - 1 <= segment.limit : is_within(segment, offset, size);
  if (!within) return context.raise(vector, 0);
  return true;
}

}  // namespace

u64 code_mask(const Context& context) {
  if (context.code64()) return ~u64{0};
  return (context.segment[kCs].attributes & x86::kDefaultBig) != 0 ? 0xFFFFFFFF : 0xFFFF;
}

u64 read_register(const Context& context, ZydisRegister reg) {
  bool high = false;
  const unsigned number = gpr_number(reg, &high);
  if (number == kNoReg) {
    switch (ZydisRegisterGetClass(reg)) {
      case ZYDIS_REGCLASS_SEGMENT: return context.segment[segment_index(reg)].selector;
      default: return 0;
    }
  }
  const u64 value = context.gpr[number];
  if (high) return value >> 8 & 0xFF;
  return value & mask_of(ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg));
}

void write_register(Context& context, ZydisRegister reg, u64 value) {
  bool high = false;
  const unsigned number = gpr_number(reg, &high);
  if (number == kNoReg) return;
  u64& target = context.gpr[number];
  const unsigned bits = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg);
  if (high) target = (target & ~u64{0xFF00}) | (value & 0xFF) << 8;
  else if (bits >= 32) target = value & mask_of(bits);
  else target = (target & ~mask_of(bits)) | (value & mask_of(bits));
}

bool linear_address(Exec& e, ZydisRegister segment, u64 offset, unsigned size, bool write, u64* out) {
  Context& context = e.context;
  const SegmentIndex index = segment_index(segment);
  if (context.code64()) {
    *out = offset + (index == kFs || index == kGs ? context.segment[index].base : 0);
    const bool fine = is_canonical(*out) && is_canonical(*out + size - 1);
    return fine || context.raise(index == kSs ? kVectorSs : kVectorGp, 0);
  }
  if (!check_segment(context, index, offset, size, write)) return false;
  *out = (context.segment[index].base + offset) & 0xFFFFFFFF;
  return true;
}

u64 effective_address(const Exec& e, const ZydisDecodedOperandMem& mem) {
  u64 offset = mem.disp.has_displacement ? static_cast<u64>(mem.disp.value) : 0;
  if (mem.base == ZYDIS_REGISTER_RIP || mem.base == ZYDIS_REGISTER_EIP) offset += e.context.rip + e.insn.info.length;
  else if (mem.base != ZYDIS_REGISTER_NONE) offset += read_register(e.context, mem.base);
  if (mem.index != ZYDIS_REGISTER_NONE) offset += read_register(e.context, mem.index) * mem.scale;
  return offset & mask_of(e.insn.info.address_width);
}

bool linear_address(Exec& e, const ZydisDecodedOperand& operand, unsigned size, u64* out) {
  const bool write = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  return linear_address(e, operand.mem.segment, effective_address(e, operand.mem), size, write, out);
}

bool read_operand(Exec& e, unsigned i, u64* value) {
  const ZydisDecodedOperand& operand = e.operand(i);
  switch (operand.type) {
    case ZYDIS_OPERAND_TYPE_REGISTER: *value = read_register(e.context, operand.reg.value); return true;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: *value = operand.imm.value.u; return true;
    case ZYDIS_OPERAND_TYPE_MEMORY: {
      u64 linear = 0;
      *value = 0;
      return linear_address(e, operand, operand.size / 8, &linear) &&
             read_memory(e.context, linear, value, operand.size / 8, e.context.mode());
    }
    case ZYDIS_OPERAND_TYPE_POINTER:
    case ZYDIS_OPERAND_TYPE_UNUSED: break;
  }
  return e.context.raise(kVectorUd);
}

bool write_operand(Exec& e, unsigned i, u64 value) {
  const ZydisDecodedOperand& operand = e.operand(i);
  if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    write_register(e.context, operand.reg.value, value);
    return true;
  }
  u64 linear = 0;
  return linear_address(e, operand, operand.size / 8, &linear) &&
         write_memory(e.context, linear, &value, operand.size / 8, e.context.mode());
}

bool begin_modify(Exec& e, const ZydisDecodedOperand& operand, Target* out) {
  out->size = operand.size / 8;
  return linear_address(e, operand, out->size, &out->linear) &&
         pin_memory(e.context, out->linear, out->size, e.context.mode(), &out->host, &out->gpa);
}

bool read_target(Exec& e, const Target& target, u64* value) {
  *value = 0;
  return read_memory(e.context, target.linear, value, target.size, e.context.mode());
}

bool compare_exchange(u8* host, unsigned size, u64* expected, u64 desired) {
  bool done = false;
  u64 old = *expected;
  switch (size) {
    case 1:
      asm volatile("lock cmpxchgb %b3, %1" : "+a"(old), "+m"(*host), "=@ccz"(done) : "q"(desired) : "memory");
      break;
    case 2:
      asm volatile("lock cmpxchgw %w3, %1" : "+a"(old), "+m"(*host), "=@ccz"(done) : "r"(desired) : "memory");
      break;
    case 4:
      asm volatile("lock cmpxchgl %k3, %1" : "+a"(old), "+m"(*host), "=@ccz"(done) : "r"(desired) : "memory");
      break;
    default: asm volatile("lock cmpxchgq %3, %1" : "+a"(old), "+m"(*host), "=@ccz"(done) : "r"(desired) : "memory");
  }
  *expected = old & mask_of(size * 8);
  return done;
}

bool finish_modify(Exec& e, const Target& target, u64 value) {
  if (target.host != nullptr) {
    wrote_memory(e.context, target.gpa, target.size);
    return true;
  }
  return write_memory(e.context, target.linear, &value, target.size, e.context.mode());
}

void begin_exclusive_access(Exec& e) { e.context.vm->begin_exclusive(e.context); }
void end_exclusive_access(Exec& e) { e.context.vm->end_exclusive(); }

bool read_stack(Exec& e, u64 pointer, unsigned bytes, u64* value) {
  u64 linear = 0;
  *value = 0;
  return linear_address(e, ZYDIS_REGISTER_SS, pointer & stack_mask(e.context), bytes, false, &linear) &&
         read_memory(e.context, linear, value, bytes, e.context.mode());
}

bool push(Exec& e, u64 value, unsigned bytes) {
  const u64 pointer = (stack_pointer(e.context) - bytes) & stack_mask(e.context);
  u64 linear = 0;
  if (!linear_address(e, ZYDIS_REGISTER_SS, pointer, bytes, true, &linear)) return false;
  if (!write_memory(e.context, linear, &value, bytes, e.context.mode())) return false;
  set_stack_pointer(e.context, pointer);
  return true;
}

bool pop(Exec& e, unsigned bytes, u64* value) {
  const u64 pointer = stack_pointer(e.context);
  if (!read_stack(e, pointer, bytes, value)) return false;
  set_stack_pointer(e.context, pointer + bytes);
  return true;
}

}  // namespace pileus::engine::bt
