// Integer arithmetic.
#include <nmmintrin.h>

#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"

namespace pileus::engine::bt {

namespace {

void set_arithmetic(Context& context, u64 flags) {
  context.rflags = (context.rflags & ~kFlagsArithmetic) | (flags & kFlagsArithmetic);
}
void set_flag(Context& context, u64 flag, bool on) {
  context.rflags = on ? context.rflags | flag : context.rflags & ~flag;
}
bool carry(const Context& context) { return (context.rflags & kFlagCf) != 0; }

Alu binary(ZydisMnemonic mnemonic, u64 a, u64 b, bool carry_in, unsigned bits) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_ADD: return alu_add(a, b, false, bits);
    case ZYDIS_MNEMONIC_ADC: return alu_add(a, b, carry_in, bits);
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_CMP: return alu_sub(a, b, false, bits);
    case ZYDIS_MNEMONIC_SBB: return alu_sub(a, b, carry_in, bits);
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_TEST: return alu_logic(a & b, bits);
    case ZYDIS_MNEMONIC_OR: return alu_logic(a | b, bits);
    default: return alu_logic(a ^ b, bits);
  }
}

}  // namespace

bool op_binary(Exec& e) {
  u64 b = 0;
  if (!read_operand(e, 1, &b)) return false;
  Alu out;
  const bool carry_in = carry(e.context);
  const auto f = [&](u64 a) { return (out = binary(e.insn.info.mnemonic, a, b, carry_in, e.width(0))).value; };
  if (!modify_operand(e, 0, f)) return false;
  set_arithmetic(e.context, out.flags);
  return true;
}

bool op_compare(Exec& e) {
  u64 a = 0, b = 0;
  if (!read_operand(e, 0, &a) || !read_operand(e, 1, &b)) return false;
  set_arithmetic(e.context, binary(e.insn.info.mnemonic, a, b, false, e.width(0)).flags);
  return true;
}

bool op_unary(Exec& e) {
  const unsigned bits = e.width(0);
  const u64 before = e.context.rflags;
  u64 flags = before;
  const auto f = [&](u64 a) {
    Alu out;
    switch (e.insn.info.mnemonic) {
      case ZYDIS_MNEMONIC_NOT: return ~a & mask_of(bits);
      case ZYDIS_MNEMONIC_NEG: out = alu_sub(0, a, false, bits); break;
      case ZYDIS_MNEMONIC_INC: out = alu_add(a, 1, false, bits); break;
      default: out = alu_sub(a, 1, false, bits);
    }
    const bool keeps_carry = e.insn.info.mnemonic != ZYDIS_MNEMONIC_NEG;
    flags = keeps_carry ? (out.flags & ~kFlagCf) | (before & kFlagCf) : out.flags;
    return out.value;
  };
  if (!modify_operand(e, 0, f)) return false;
  set_arithmetic(e.context, flags);
  return true;
}

bool op_shift(Exec& e) {
  u64 count = 1;
  if (e.insn.info.operand_count_visible > 1 && !read_operand(e, 1, &count)) return false;
  const unsigned bits = e.width(0);
  const auto by = static_cast<unsigned>(count & (bits == 64 ? 63 : 31));
  Shift kind = Shift::kShl;
  switch (e.insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_ROL: kind = Shift::kRol; break;
    case ZYDIS_MNEMONIC_ROR: kind = Shift::kRor; break;
    case ZYDIS_MNEMONIC_RCL: kind = Shift::kRcl; break;
    case ZYDIS_MNEMONIC_RCR: kind = Shift::kRcr; break;
    case ZYDIS_MNEMONIC_SHR: kind = Shift::kShr; break;
    case ZYDIS_MNEMONIC_SAR: kind = Shift::kSar; break;
    default: break;
  }
  Alu out{0, e.context.rflags};
  const auto f = [&](u64 a) {
    if (by == 0) return a;
    out = alu_shift(kind, a, by, bits, e.context.rflags);
    return out.value;
  };
  if (!modify_operand(e, 0, f)) return false;
  set_arithmetic(e.context, out.flags);
  return true;
}

bool op_double_shift(Exec& e) {
  u64 fill = 0, count = 0;
  if (!read_operand(e, 1, &fill) || !read_operand(e, 2, &count)) return false;
  const unsigned bits = e.width(0);
  const auto by = static_cast<unsigned>(count & (bits == 64 ? 63 : 31));
  Alu out{0, e.context.rflags};
  const auto f = [&](u64 a) {
    if (by == 0) return a;
    out = alu_double_shift(e.insn.info.mnemonic == ZYDIS_MNEMONIC_SHLD, a, fill, by, bits, e.context.rflags);
    return out.value;
  };
  if (!modify_operand(e, 0, f)) return false;
  set_arithmetic(e.context, out.flags);
  return true;
}

namespace {
// The product's halves to AX or DX:AX.
void store_wide(Context& context, u64 low, u64 high, unsigned bits) {
  if (bits == 8) {
    context.gpr[kRax] = (context.gpr[kRax] & ~u64{0xFFFF}) | (low & 0xFF) | (high & 0xFF) << 8;
    return;
  }
  write_register(context, bits == 16 ? ZYDIS_REGISTER_AX : bits == 32 ? ZYDIS_REGISTER_EAX : ZYDIS_REGISTER_RAX, low);
  write_register(context, bits == 16 ? ZYDIS_REGISTER_DX : bits == 32 ? ZYDIS_REGISTER_EDX : ZYDIS_REGISTER_RDX, high);
}
}  // namespace

bool op_mul(Exec& e) {
  u64 b = 0;
  if (!read_operand(e, 0, &b)) return false;
  const unsigned bits = e.width(0);
  const u64 mask = mask_of(bits);
  const auto product = static_cast<u128>(e.context.gpr[kRax] & mask) * (b & mask);
  const u64 low = static_cast<u64>(product) & mask;
  const u64 high = static_cast<u64>(product >> bits) & mask;
  store_wide(e.context, low, high, bits);
  set_flag(e.context, kFlagCf | kFlagOf, high != 0);
  return true;
}

bool op_imul(Exec& e) {
  const bool one =
      e.operand(1).visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT || e.insn.info.operand_count_visible == 1;
  const bool three = e.insn.info.operand_count_visible == 3;
  const unsigned bits = e.width(0);
  u64 a = 0, b = 0;
  if (one) {
    a = e.context.gpr[kRax];
    if (!read_operand(e, 0, &b)) return false;
  } else if (!read_operand(e, three ? 1 : 0, &a) || !read_operand(e, three ? 2 : 1, &b)) {
    return false;
  }
  const i128 product = static_cast<i128>(sign_extend(a, bits)) * sign_extend(b, bits);
  const u64 low = static_cast<u64>(product) & mask_of(bits);
  const u64 high = static_cast<u64>(product >> bits) & mask_of(bits);
  if (one) store_wide(e.context, low, high, bits);
  else if (!write_operand(e, 0, low)) return false;
  set_flag(e.context, kFlagCf | kFlagOf, product != static_cast<i128>(sign_extend(low, bits)));
  return true;
}

bool op_div(Exec& e) {
  u64 divisor = 0;
  if (!read_operand(e, 0, &divisor)) return false;
  Context& context = e.context;
  const unsigned bits = e.width(0);
  const u64 mask = mask_of(bits);
  divisor &= mask;
  if (divisor == 0) return context.raise(kVectorDe);
  u128 dividend = 0;
  if (bits == 8) dividend = context.gpr[kRax] & 0xFFFF;
  else dividend = static_cast<u128>(context.gpr[kRdx] & mask) << bits | (context.gpr[kRax] & mask);
  if (e.insn.info.mnemonic == ZYDIS_MNEMONIC_DIV) {
    const u128 quotient = dividend / divisor;
    if (quotient > mask) return context.raise(kVectorDe);
    store_wide(context, static_cast<u64>(quotient), static_cast<u64>(dividend % divisor), bits);
    return true;
  }
  const unsigned unused = 128 - 2 * bits;
  const i128 wide = static_cast<i128>(dividend << unused) >> unused;
  const i128 by = sign_extend(divisor, bits);
  if (by == -1 && wide == static_cast<i128>(static_cast<u128>(1) << 127)) return context.raise(kVectorDe);
  const i128 quotient = wide / by;
  const i128 limit = static_cast<i128>(sign_of(bits));
  if (quotient >= limit || quotient < -limit) return context.raise(kVectorDe);
  store_wide(context, static_cast<u64>(quotient) & mask, static_cast<u64>(wide % by) & mask, bits);
  return true;
}

bool op_bit_test(Exec& e) {
  u64 index = 0;
  if (!read_operand(e, 1, &index)) return false;
  const unsigned bits = e.width(0);
  const unsigned bit = static_cast<unsigned>(index) & (bits - 1);
  bool was = false;
  const auto f = [&](u64 a) {
    was = (a >> bit & 1) != 0;
    switch (e.insn.info.mnemonic) {
      case ZYDIS_MNEMONIC_BTS: return a | u64{1} << bit;
      case ZYDIS_MNEMONIC_BTR: return a & ~(u64{1} << bit);
      case ZYDIS_MNEMONIC_BTC: return a ^ u64 { 1 } << bit;
      default: return a;
    }
  };
  const bool string = e.is_memory(0) && e.operand(1).type == ZYDIS_OPERAND_TYPE_REGISTER;
  if (!string) {
    if (e.insn.info.mnemonic == ZYDIS_MNEMONIC_BT) {
      u64 a = 0;
      if (!read_operand(e, 0, &a)) return false;
      f(a);
    } else if (!modify_operand(e, 0, f)) {
      return false;
    }
  } else {
    // The index reaches beyond the operand: address the word that has the bit.
    ZydisDecodedOperand word = e.operand(0);
    const i64 words = sign_extend(index, bits) >> (bits == 64 ? 6 : bits == 32 ? 5 : 4);
    word.mem.disp.value += words * (bits / 8);
    word.mem.disp.has_displacement = true;
    if (e.insn.info.mnemonic == ZYDIS_MNEMONIC_BT) {
      u64 a = 0, linear = 0;
      if (!linear_address(e, word, bits / 8, &linear)) return false;
      if (!read_memory(e.context, linear, &a, bits / 8, e.context.mode())) return false;
      f(a);
    } else if (!modify_memory(e, word, f)) {
      return false;
    }
  }
  set_flag(e.context, kFlagCf, was);
  return true;
}

bool op_bit_scan(Exec& e) {
  u64 value = 0;
  if (!read_operand(e, 1, &value)) return false;
  value &= mask_of(e.width(1));
  set_flag(e.context, kFlagZf, value == 0);
  if (value == 0) return true;  // the destination stays, as on every known processor
  const bool forward = e.insn.info.mnemonic == ZYDIS_MNEMONIC_BSF || e.insn.info.mnemonic == ZYDIS_MNEMONIC_TZCNT;
  const auto found = static_cast<u64>(forward ? __builtin_ctzll(value) : 63 - __builtin_clzll(value));
  return write_operand(e, 0, found);
}

bool op_popcnt(Exec& e) {
  u64 value = 0;
  if (!read_operand(e, 1, &value)) return false;
  const auto count = static_cast<u64>(__builtin_popcountll(value & mask_of(e.width(1))));
  if (!write_operand(e, 0, count)) return false;
  set_arithmetic(e.context, count == 0 ? kFlagZf : 0);
  return true;
}

// Not in a native cell: CRC32 ESP, CH names registers that cannot be moved to where a cell could use both.
__attribute__((target("sse4.2"))) bool op_crc32(Exec& e) {
  u64 sum = 0, value = 0;
  if (!read_operand(e, 0, &sum) || !read_operand(e, 1, &value)) return false;
  switch (e.width(1)) {
    case 8: sum = _mm_crc32_u8(static_cast<u32>(sum), static_cast<u8>(value)); break;
    case 16: sum = _mm_crc32_u16(static_cast<u32>(sum), static_cast<u16>(value)); break;
    case 32: sum = _mm_crc32_u32(static_cast<u32>(sum), static_cast<u32>(value)); break;
    default: sum = _mm_crc32_u64(sum, value); break;
  }
  return write_operand(e, 0, sum);
}

bool op_bswap(Exec& e) {
  u64 value = 0;
  if (!read_operand(e, 0, &value)) return false;
  const u64 swapped = __builtin_bswap64(value);
  return write_operand(e, 0, e.width(0) == 64 ? swapped : e.width(0) == 32 ? swapped >> 32 : 0);
}

bool op_xadd(Exec& e) {
  u64 b = 0, old = 0;
  if (!read_operand(e, 1, &b)) return false;
  Alu out;
  const auto f = [&](u64 a) {
    old = a;
    return (out = alu_add(a, b, false, e.width(0))).value;
  };
  if (!modify_operand(e, 0, f)) return false;
  // XADD of a register with itself: the sum is what stays.
  const bool same = !e.is_memory(0) && e.operand(0).reg.value == e.operand(1).reg.value;
  if (!same) write_register(e.context, e.operand(1).reg.value, old);
  set_arithmetic(e.context, out.flags);
  return true;
}

bool op_xchg(Exec& e) {
  const unsigned memory = e.is_memory(1) ? 1 : 0;
  const unsigned other = 1 - memory;
  u64 b = 0, old = 0;
  if (!read_operand(e, other, &b)) return false;
  const auto f = [&](u64 a) {
    old = a;
    return b;
  };
  return modify_operand(e, memory, f) && write_operand(e, other, old);
}

bool op_cmpxchg(Exec& e) {
  const unsigned bits = e.width(0);
  const u64 expected = e.context.gpr[kRax] & mask_of(bits);
  u64 desired = 0, old = 0;
  if (!read_operand(e, 1, &desired)) return false;
  const auto f = [&](u64 a) {
    old = a;
    return a == expected ? desired & mask_of(bits) : a;
  };
  // A register that stays is not written, so a 32-bit one keeps its upper half.
  if (!e.is_memory(0)) f(read_register(e.context, e.operand(0).reg.value));
  if ((e.is_memory(0) || old == expected) && !modify_operand(e, 0, f)) return false;
  const Alu compare = alu_sub(expected, old, false, bits);
  if (old != expected) {
    write_register(e.context,
                   bits == 8    ? ZYDIS_REGISTER_AL
                   : bits == 16 ? ZYDIS_REGISTER_AX
                   : bits == 32 ? ZYDIS_REGISTER_EAX
                                : ZYDIS_REGISTER_RAX,
                   old);
  }
  set_arithmetic(e.context, compare.flags);
  return true;
}

bool op_cmpxchg_pair(Exec& e) {
  Context& context = e.context;
  const bool wide = e.insn.info.mnemonic == ZYDIS_MNEMONIC_CMPXCHG16B;
  const unsigned size = wide ? 16 : 8;
  u64 linear = 0, gpa = 0;
  u8* host = nullptr;
  const bool canonical = linear_address(e, e.operand(0), size, &linear);
  if (wide && (linear & 15) != 0) return context.raise(kVectorGp, 0);
  if (!canonical) return false;
  if (!pin_memory(context, linear, size, context.mode(), &host, &gpa)) return false;
  const u64 half = wide ? ~u64{0} : 0xFFFFFFFF;
  u64 old_low = context.gpr[kRax] & half, old_high = context.gpr[kRdx] & half;
  const u64 low = context.gpr[kRbx] & half, high = context.gpr[kRcx] & half;
  bool equal = false;
  if (host != nullptr && wide) {
    asm volatile("lock cmpxchg16b %0"
                 : "+m"(*host), "+a"(old_low), "+d"(old_high), "=@ccz"(equal)
                 : "b"(low), "c"(high)
                 : "memory");
  } else if (host != nullptr) {
    u64 expected = old_high << 32 | old_low;
    equal = compare_exchange(host, 8, &expected, high << 32 | low);
    old_low = expected & half, old_high = expected >> 32;
  } else {
    u64 now[2] = {0, 0};
    begin_exclusive_access(e);
    bool fine = read_memory(context, linear, now, size, context.mode());
    const u64 now_low = wide ? now[0] : now[0] & half;
    const u64 now_high = wide ? now[1] : now[0] >> 32;
    equal = now_low == old_low && now_high == old_high;
    const u64 fresh[2] = {wide ? low : high << 32 | low, high};
    if (fine && equal) fine = write_memory(context, linear, fresh, size, context.mode());
    end_exclusive_access(e);
    if (!fine) return false;
    old_low = now_low, old_high = now_high;
  }
  if (host != nullptr) wrote_memory(context, gpa, size);
  if (!equal) {
    context.gpr[kRax] = old_low;
    context.gpr[kRdx] = old_high;
  }
  set_flag(context, kFlagZf, equal);
  return true;
}

// SDM vol. 2, AAA and AAS.
bool op_ascii_adjust(Exec& e) {
  Context& context = e.context;
  const bool add = e.insn.info.mnemonic == ZYDIS_MNEMONIC_AAA;
  const bool adjust = (context.gpr[kRax] & 15) > 9 || (context.rflags & kFlagAf) != 0;
  auto ax = static_cast<u16>(context.gpr[kRax]);
  if (adjust) ax = static_cast<u16>(add ? ax + 0x106 : ax - 0x106);
  ax &= 0xFF0F;
  context.gpr[kRax] = (context.gpr[kRax] & ~u64{0xFFFF}) | ax;
  set_flag(context, kFlagAf | kFlagCf, adjust);
  return true;
}

// SDM vol. 2, DAA and DAS.
bool op_decimal_adjust(Exec& e) {
  Context& context = e.context;
  const bool add = e.insn.info.mnemonic == ZYDIS_MNEMONIC_DAA;
  const auto old = static_cast<u8>(context.gpr[kRax]);
  const bool old_carry = carry(context);
  u8 al = old;
  bool out_carry = false;
  const bool low = (old & 15) > 9 || (context.rflags & kFlagAf) != 0;
  if (low) {
    out_carry = old_carry || (add ? old > 0xF9 : old < 6);
    al = static_cast<u8>(add ? al + 6 : al - 6);
  }
  if (old > 0x99 || old_carry) {
    al = static_cast<u8>(add ? al + 0x60 : al - 0x60);
    out_carry = true;
  }
  context.gpr[kRax] = (context.gpr[kRax] & ~u64{0xFF}) | al;
  set_arithmetic(context, result_flags(al, 8) | (low ? kFlagAf : 0) | (out_carry ? kFlagCf : 0));
  return true;
}

bool op_aam(Exec& e) {
  const u64 base = e.operand(0).imm.value.u & 0xFF;
  if (base == 0) return e.context.raise(kVectorDe);
  const u64 al = e.context.gpr[kRax] & 0xFF;
  e.context.gpr[kRax] = (e.context.gpr[kRax] & ~u64{0xFFFF}) | (al / base) << 8 | al % base;
  set_arithmetic(e.context, result_flags(al % base, 8));
  return true;
}

bool op_aad(Exec& e) {
  const u64 base = e.operand(0).imm.value.u & 0xFF;
  const u64 al = (e.context.gpr[kRax] + (e.context.gpr[kRax] >> 8 & 0xFF) * base) & 0xFF;
  e.context.gpr[kRax] = (e.context.gpr[kRax] & ~u64{0xFFFF}) | al;
  set_arithmetic(e.context, result_flags(al, 8));
  return true;
}

bool op_carry(Exec& e) {
  const ZydisMnemonic mnemonic = e.insn.info.mnemonic;
  set_flag(e.context, kFlagCf, mnemonic == ZYDIS_MNEMONIC_STC || (mnemonic == ZYDIS_MNEMONIC_CMC && !carry(e.context)));
  return true;
}

bool op_lahf(Exec& e) {
  write_register(e.context, ZYDIS_REGISTER_AH, (e.context.rflags & 0xD5) | 2);
  return true;
}

bool op_sahf(Exec& e) {
  const u64 ah = e.context.gpr[kRax] >> 8 & 0xD5;
  e.context.rflags = (e.context.rflags & ~u64{0xD5}) | ah;
  return true;
}

bool op_salc(Exec& e) {
  write_register(e.context, ZYDIS_REGISTER_AL, carry(e.context) ? 0xFF : 0);
  return true;
}

bool op_convert(Exec& e) {
  Context& context = e.context;
  const u64 rax = context.gpr[kRax];
  const auto sign = [&](unsigned bits) { return static_cast<u64>(sign_extend(rax & mask_of(bits), bits)); };
  const auto fill = [&](unsigned bits) { return (rax & sign_of(bits)) != 0 ? ~u64{0} : 0; };
  switch (e.insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_CBW: write_register(context, ZYDIS_REGISTER_AX, sign(8)); break;
    case ZYDIS_MNEMONIC_CWDE: write_register(context, ZYDIS_REGISTER_EAX, sign(16)); break;
    case ZYDIS_MNEMONIC_CDQE: context.gpr[kRax] = sign(32); break;
    case ZYDIS_MNEMONIC_CWD: write_register(context, ZYDIS_REGISTER_DX, fill(16)); break;
    case ZYDIS_MNEMONIC_CDQ: write_register(context, ZYDIS_REGISTER_EDX, fill(32)); break;
    default: context.gpr[kRdx] = fill(64);
  }
  return true;
}

}  // namespace pileus::engine::bt
