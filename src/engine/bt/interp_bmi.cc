// BMI1, BMI2, LZCNT and MOVBE (Intel SDM vol. 2).
#include <bit>

#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/vm.h"
#include "engine/bt/wide.h"

namespace pileus::engine::bt {

namespace {

// ZF and SF by the result, CF as given, OF clear. PF and AF are undefined: clear, as on processors that were looked at.
void set_flags(Exec& e, u64 result, bool carry) {
  const unsigned bits = e.width(0);
  u64 flags = carry ? kFlagCf : 0;
  if (result == 0) flags |= kFlagZf;
  if ((result >> (bits - 1) & 1) != 0) flags |= kFlagSf;
  e.context.rflags = (e.context.rflags & ~kFlagsArithmetic) | flags;
}

u64 low_bits(u64 count) { return count >= 64 ? ~u64{0} : (u64{1} << count) - 1; }

}  // namespace

bool check_offered(Exec& e) { return is_offered(e.insn, e.context.vm->cpu().features) || e.context.raise(kVectorUd); }

bool op_bmi_flags(Exec& e) {
  const bool unary = e.insn.info.operand_count_visible == 2;
  u64 a = 0, b = 0;
  if (!check_offered(e) || !read_operand(e, 1, &a) || (!unary && !read_operand(e, 2, &b))) return false;
  const unsigned bits = e.width(0);
  const u64 mask = mask_of(bits);
  u64 result = 0;
  bool carry = false;
  switch (e.insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_ANDN: result = ~a & b; break;
    case ZYDIS_MNEMONIC_BEXTR: {
      const u64 start = b & 0xFF;
      result = start >= bits ? 0 : a >> start & low_bits(b >> 8 & 0xFF);
      break;
    }
    case ZYDIS_MNEMONIC_BLSI:
      result = (~a + 1) & a;
      carry = a != 0;
      break;
    case ZYDIS_MNEMONIC_BLSMSK:
      result = (a - 1) ^ a;
      carry = a == 0;
      break;
    case ZYDIS_MNEMONIC_BLSR:
      result = (a - 1) & a;
      carry = a == 0;
      break;
    default: {  // BZHI
      const u64 from = b & 0xFF;
      result = from < bits ? a & low_bits(from) : a;
      carry = from >= bits;
    }
  }
  result &= mask;
  if (!write_operand(e, 0, result)) return false;
  set_flags(e, result, carry);
  return true;
}

bool op_bmi_shift(Exec& e) {
  u64 a = 0, by = 0;
  if (!check_offered(e) || !read_operand(e, 1, &a) || !read_operand(e, 2, &by)) return false;
  const unsigned bits = e.width(0);
  by &= bits - 1;
  u64 result = 0;
  switch (e.insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_RORX: result = by == 0 ? a : a >> by | a << (bits - by); break;
    case ZYDIS_MNEMONIC_SARX: {
      const i64 extended = bits == 64 ? static_cast<i64>(a) : static_cast<i64>(static_cast<i32>(a));
      result = static_cast<u64>(extended >> by);
      break;
    }
    case ZYDIS_MNEMONIC_SHLX: result = a << by; break;
    default: result = a >> by;  // SHRX
  }
  return write_operand(e, 0, result & mask_of(bits));
}

bool op_bit_deposit(Exec& e) {
  u64 a = 0, mask = 0, result = 0;
  if (!check_offered(e) || !read_operand(e, 1, &a) || !read_operand(e, 2, &mask)) return false;
  const bool deposit = e.insn.info.mnemonic == ZYDIS_MNEMONIC_PDEP;
  for (unsigned i = 0; mask != 0; ++i, mask &= mask - 1) {
    const auto at = static_cast<unsigned>(std::countr_zero(mask));
    result |= deposit ? (a >> i & 1) << at : (a >> at & 1) << i;
  }
  return write_operand(e, 0, result);
}

bool op_mulx(Exec& e) {
  u64 a = 0;
  if (!check_offered(e) || !read_operand(e, 2, &a)) return false;
  const unsigned bits = e.width(0);
  const u128 product = u128{a} * (e.context.gpr[kRdx] & mask_of(bits));
  // When both are the same register, it gets the upper half.
  return write_operand(e, 1, static_cast<u64>(product) & mask_of(bits)) &&
         write_operand(e, 0, static_cast<u64>(product >> bits) & mask_of(bits));
}

// Where not offered the bytes mean BSF and BSR.
bool op_count_zeros(Exec& e) {
  if (!is_offered(e.insn, e.context.vm->cpu().features)) return op_bit_scan(e);
  u64 a = 0;
  if (!read_operand(e, 1, &a)) return false;
  const unsigned bits = e.width(0);
  const bool trailing = e.insn.info.mnemonic == ZYDIS_MNEMONIC_TZCNT;
  const int count = trailing ? std::countr_zero(a) : std::countl_zero(a) - (64 - static_cast<int>(bits));
  const u64 result = a == 0 ? bits : static_cast<u64>(count);
  if (!write_operand(e, 0, result)) return false;
  set_flags(e, result, a == 0);
  return true;
}

bool op_movbe(Exec& e) {
  u64 value = 0;
  if (!check_offered(e) || !read_operand(e, 1, &value)) return false;
  return write_operand(e, 0, __builtin_bswap64(value) >> (64 - e.width(0)));
}

}  // namespace pileus::engine::bt
