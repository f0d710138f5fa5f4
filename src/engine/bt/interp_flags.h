// The arithmetic of the integer instructions, as pure functions of operands and flags (Intel SDM vol. 1, 3.4.3.1 and
// vol. 2). Operands are in the low `bits` bits; results are masked to them.
#pragma once

#include "base/ints.h"

namespace pileus::engine::bt {

inline constexpr u64 kFlagCf = 1, kFlagPf = 4, kFlagAf = 0x10, kFlagZf = 0x40, kFlagSf = 0x80, kFlagOf = 0x800;
inline constexpr u64 kFlagsArithmetic = kFlagCf | kFlagPf | kFlagAf | kFlagZf | kFlagSf | kFlagOf;

struct Alu {
  u64 value = 0;
  u64 flags = 0;  // the arithmetic ones, complete
};

constexpr u64 mask_of(unsigned bits) { return bits >= 64 ? ~u64{0} : (u64{1} << bits) - 1; }
constexpr u64 sign_of(unsigned bits) { return u64{1} << (bits - 1); }
constexpr i64 sign_extend(u64 value, unsigned bits) { return static_cast<i64>(value << (64 - bits)) >> (64 - bits); }

constexpr u64 result_flags(u64 value, unsigned bits) {
  u64 flags = 0;
  if (__builtin_parity(static_cast<unsigned>(value & 0xFF)) == 0) flags |= kFlagPf;
  if ((value & mask_of(bits)) == 0) flags |= kFlagZf;
  if ((value & sign_of(bits)) != 0) flags |= kFlagSf;
  return flags;
}

constexpr Alu alu_add(u64 a, u64 b, bool carry, unsigned bits) {
  const u64 mask = mask_of(bits);
  a &= mask, b &= mask;
  const u64 sum = (a + b + (carry ? 1 : 0)) & mask;
  u64 flags = result_flags(sum, bits);
  if (sum < a || (carry && sum == a)) flags |= kFlagCf;
  if (((a ^ b ^ sum) & 0x10) != 0) flags |= kFlagAf;
  if (((a ^ sum) & (b ^ sum) & sign_of(bits)) != 0) flags |= kFlagOf;
  return {sum, flags};
}

constexpr Alu alu_sub(u64 a, u64 b, bool borrow, unsigned bits) {
  const u64 mask = mask_of(bits);
  a &= mask, b &= mask;
  const u64 difference = (a - b - (borrow ? 1 : 0)) & mask;
  u64 flags = result_flags(difference, bits);
  if (a < b || (borrow && a == b)) flags |= kFlagCf;
  if (((a ^ b ^ difference) & 0x10) != 0) flags |= kFlagAf;
  if (((a ^ b) & (a ^ difference) & sign_of(bits)) != 0) flags |= kFlagOf;
  return {difference, flags};
}

constexpr Alu alu_logic(u64 value, unsigned bits) {
  value &= mask_of(bits);
  return {value, result_flags(value, bits)};
}

// Shifts and rotates by an already masked, non-zero count. `flags` come in and go out whole.
enum class Shift : u8 { kRol, kRor, kRcl, kRcr, kShl, kShr, kSar };
Alu alu_shift(Shift kind, u64 value, unsigned count, unsigned bits, u64 flags);
// SHLD, SHRD; count in 1 .. bits - 1.
Alu alu_double_shift(bool left, u64 value, u64 fill, unsigned count, unsigned bits, u64 flags);

}  // namespace pileus::engine::bt
