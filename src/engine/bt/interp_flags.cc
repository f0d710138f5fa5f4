#include "engine/bt/interp_flags.h"

namespace pileus::engine::bt {

namespace {

u64 with(u64 flags, u64 flag, bool on) { return on ? flags | flag : flags & ~flag; }

Alu rotate(bool left, u64 value, unsigned count, unsigned bits, u64 flags) {
  const unsigned by = count % bits;
  u64 out = value;
  if (by != 0) out = (left ? value << by | value >> (bits - by) : value >> by | value << (bits - by)) & mask_of(bits);
  const bool top = (out & sign_of(bits)) != 0;
  const bool carry = left ? (out & 1) != 0 : top;
  flags = with(flags, kFlagCf, carry);
  const bool overflow = left ? top != carry : top != ((out & (sign_of(bits) >> 1)) != 0);
  return {out, with(flags, kFlagOf, overflow)};
}

Alu rotate_carry(bool left, u64 value, unsigned count, unsigned bits, u64 flags) {
  bool carry = (flags & kFlagCf) != 0;
  const unsigned by = count % (bits + 1);
  for (unsigned i = 0; i < by; ++i) {
    if (left) {
      const bool out = (value & sign_of(bits)) != 0;
      value = (value << 1 | (carry ? 1 : 0)) & mask_of(bits);
      carry = out;
    } else {
      const bool out = (value & 1) != 0;
      value = value >> 1 | (carry ? sign_of(bits) : 0);
      carry = out;
    }
  }
  const bool top = (value & sign_of(bits)) != 0;
  const bool overflow = left ? top != carry : top != ((value & (sign_of(bits) >> 1)) != 0);
  return {value, with(with(flags, kFlagCf, carry), kFlagOf, overflow)};
}

}  // namespace

Alu alu_shift(Shift kind, u64 value, unsigned count, unsigned bits, u64 flags) {
  value &= mask_of(bits);
  switch (kind) {
    case Shift::kRol: return rotate(true, value, count, bits, flags);
    case Shift::kRor: return rotate(false, value, count, bits, flags);
    case Shift::kRcl: return rotate_carry(true, value, count, bits, flags);
    case Shift::kRcr: return rotate_carry(false, value, count, bits, flags);
    case Shift::kShl: {
      const u64 out = count >= bits ? 0 : (value << count) & mask_of(bits);
      const bool carry = count <= bits && (value >> (bits - count) & 1) != 0;
      const bool overflow = ((out & sign_of(bits)) != 0) != carry;
      return {out, result_flags(out, bits) | (carry ? kFlagCf : 0) | (overflow ? kFlagOf : 0)};
    }
    case Shift::kShr: {
      const u64 out = count >= bits ? 0 : value >> count;
      const bool carry = count <= bits && (value >> (count - 1) & 1) != 0;
      const bool overflow = ((out ^ out << 1) & sign_of(bits)) != 0;
      return {out, result_flags(out, bits) | (carry ? kFlagCf : 0) | (overflow ? kFlagOf : 0)};
    }
    case Shift::kSar: {
      const i64 wide = sign_extend(value, bits);
      const u64 out = static_cast<u64>(wide >> (count >= bits ? bits - 1 : count)) & mask_of(bits);
      const bool carry = (wide >> (count > bits ? bits - 1 : count - 1) & 1) != 0;
      return {out, result_flags(out, bits) | (carry ? kFlagCf : 0)};
    }
  }
  return {};
}

Alu alu_double_shift(bool left, u64 value, u64 fill, unsigned count, unsigned bits, u64) {
  const u64 mask = mask_of(bits);
  value &= mask, fill &= mask;
  unsigned in_word = count;
  if (count > bits) {  // 16-bit operands with a count of 17-31: undefined; what processors do is rotate on
    in_word = count - bits;
    const u64 old = value;
    value = fill;
    fill = old;
  }
  u64 out = 0;
  bool carry = false;
  if (left) {
    out = in_word == bits ? fill : (value << in_word | fill >> (bits - in_word)) & mask;
    carry = (value >> (bits - in_word) & 1) != 0;
  } else {
    out = in_word == bits ? fill : (value >> in_word | fill << (bits - in_word)) & mask;
    carry = (value >> (in_word - 1) & 1) != 0;
  }
  const bool overflow = ((out ^ value) & sign_of(bits)) != 0;
  return {out, result_flags(out, bits) | (carry ? kFlagCf : 0) | (overflow ? kFlagOf : 0)};
}

}  // namespace pileus::engine::bt
