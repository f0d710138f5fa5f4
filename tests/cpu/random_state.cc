#include "random_state.h"

#include <cstring>

namespace pileus::cpu_test {

namespace {

constexpr std::array<u64, 22> kValues{0,
                                      1,
                                      2,
                                      ~u64{0},
                                      ~u64{1},
                                      0x7F,
                                      0x80,
                                      0xFF,
                                      0x100,
                                      0x7FFF,
                                      0x8000,
                                      0xFFFF,
                                      0x7FFFFFFF,
                                      0x80000000,
                                      0xFFFFFFFF,
                                      0x100000000,
                                      0xFFFFFFFF80000000,
                                      0x7FFFFFFFFFFFFFFF,
                                      0x8000000000000000,
                                      0x0123456789ABCDEF,
                                      0x5555555555555555,
                                      0xAAAAAAAAAAAAAAAA};

// Zero, one, infinities, NaNs of both kinds, the smallest and the largest, ones that round.
constexpr std::array<u32, 14> kFloats{0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000,
                                      0xFF800000, 0x7FC00001, 0x7F800001, 0x00000001, 0x807FFFFF,
                                      0x7F7FFFFF, 0x3EAAAAAB, 0x4F000000, 0x5F000000};
constexpr std::array<u64, 14> kDoubles{0x0000000000000000, 0x8000000000000000, 0x3FF0000000000000, 0xBFF0000000000000,
                                       0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000001, 0x7FF0000000000001,
                                       0x0000000000000001, 0x800FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0x3FD5555555555555,
                                       0x41E0000000000000, 0xC3E0000000000000};

struct Extended {
  u16 exponent;  // with the sign
  u64 significand;
};
constexpr std::array<Extended, 14> kExtended{{{0x0000, 0},
                                              {0x8000, 0},
                                              {0x3FFF, 0x8000000000000000},
                                              {0xBFFF, 0x8000000000000000},
                                              {0x7FFF, 0x8000000000000000},
                                              {0xFFFF, 0x8000000000000000},
                                              {0x7FFF, 0xC000000000000001},
                                              {0x7FFF, 0x8000000000000001},
                                              {0x0000, 0x0000000000000001},
                                              {0x7FFE, 0xFFFFFFFFFFFFFFFF},
                                              {0x3FFD, 0xAAAAAAAAAAAAAAAB},
                                              {0x4000, 0xC90FDAA22168C235},
                                              {0x403E, 0xFFFFFFFFFFFFFFFF},
                                              {0x4012, 0xF423F00000000000}}};

template <typename T, std::size_t kCount>
const T& pick(Random& random, const std::array<T, kCount>& from) {
  return random.pick(std::span<const T>(from));
}

void random_x87_state(Random& random, u8* fx) {
  u16 control = 0x37F;
  if (random.chance(30)) control = static_cast<u16>((random.next() & 0xF00) | 0x7F);
  if (random.chance(15)) control = static_cast<u16>(control & ~random.below(64));
  u16 status = static_cast<u16>(random.next() & 0x7F00);  // TOP and C0 to C3
  if (random.chance(20)) status = static_cast<u16>(status | (random.below(64) & control));
  std::memcpy(fx + kFxControl, &control, sizeof control);
  std::memcpy(fx + kFxStatus, &status, sizeof status);
  fx[kFxTag] = random.chance(50) ? u8{0xFF} : random.byte();
  for (unsigned i = 0; i < 8; ++i) random_x87(random, fx + kFxSt + 16 * i);
}

}  // namespace

u64 random_value(Random& random) {
  switch (random.below(6)) {
    case 0: return random.next();
    case 1: return random.next() >> random.below(64);
    case 2: return static_cast<u64>(static_cast<i64>(random.next()) >> random.below(64));
    default: return pick(random, kValues) + (random.chance(20) ? random.below(3) - 1 : 0);
  }
}

u64 random_small(Random& random) { return random.below(random.chance(70) ? 9 : 70); }

u64 random_pointer(Random& random) {
  u64 at = 0;
  switch (random.below(8)) {
    case 0: at = kData.base + random.below(160); break;
    case 1: at = kData.base + kData.size - 1 - random.below(160); break;
    case 2: at = kData.base + 0x2000 - 64 + random.below(96); break;
    case 3: return kData.base + 0x3000 + random.below(256);
    default: return kData.base + 0x4000 + random.below(64) * 16;
  }
  return random.chance(40) ? at & ~u64{15} : at;
}

void random_x87(Random& random, u8* ten_bytes) {
  Extended value = pick(random, kExtended);
  if (random.chance(40)) {
    const auto sign = static_cast<u16>(random.below(2) << 15);
    value = {static_cast<u16>((0x3FFF - 70 + random.below(140)) | sign), random.next() | u64{1} << 63};
  }
  if (random.chance(4)) value = {static_cast<u16>(random.next()), random.next()};  // perhaps no valid number at all
  std::memcpy(ten_bytes, &value.significand, 8);
  std::memcpy(ten_bytes + 8, &value.exponent, 2);
}

void random_xmm(Random& random, u8* sixteen_bytes) {
  const u64 kind = random.below(4);
  for (unsigned lane = 0; lane < 4; ++lane) {
    u32 value = static_cast<u32>(random.next());
    if (kind == 1) value = random.chance(60) ? pick(random, kFloats) : (value & 0x807FFFFF) | 0x3F000000;
    if (kind == 2) value = static_cast<u32>(random_value(random));
    std::memcpy(sixteen_bytes + 4 * lane, &value, sizeof value);
  }
  if (kind != 3) return;
  for (unsigned lane = 0; lane < 2; ++lane) {
    u64 value = pick(random, kDoubles);
    if (random.chance(40)) value = (random.next() & 0x800FFFFFFFFFFFFF) | 0x3FE0000000000000;
    std::memcpy(sixteen_bytes + 8 * lane, &value, sizeof value);
  }
}

u32 random_mxcsr(Random& random) {
  u32 value = 0x1F80;
  if (random.chance(30)) value |= static_cast<u32>(random.next() & 0xE07F);  // rounding, FTZ, DAZ, flags
  if (random.chance(10)) value &= ~static_cast<u32>(random.below(64) << 7);
  return value;
}

Registers random_registers(Random& random) {
  Registers out;
  out.state = initial_state();
  for (unsigned i = 0; i < 16; ++i) {
    u64& value = out.state.gpr[i];
    if (i == 4) continue;
    const u64 kind = random.below(10);
    value = kind < 4 ? random_pointer(random) : kind < 6 ? random_small(random) : random_value(random);
    if (kind < 4) out.pointers |= 1U << i;
    else if (kind < 6) out.smalls |= 1U << i;
  }
  u64& stack = out.state.gpr[4];
  out.pointers |= 1U << 4;
  stack = kStack.base + kStack.size - 0x2000 + random.below(256) * 8;
  if (random.chance(10)) stack += random.below(8);
  if (random.chance(4)) stack = kStack.base + random.below(64);
  if (random.chance(4)) stack = kStack.base + kStack.size - random.below(64);
  out.state.rflags = 0x202 | (random.next() & kArithmeticFlags);
  if (random.chance(15)) out.state.rflags |= kDirectionFlag;
  u8* fx = out.state.fx.data();
  random_x87_state(random, fx);
  for (unsigned i = 0; i < 16; ++i) random_xmm(random, fx + kFxXmm + 16 * i);
  if (has_avx2()) {
    for (unsigned i = 0; i < 16; ++i) random_xmm(random, out.state.ymm.data() + 16 * i);
  }
  const u32 mxcsr = random_mxcsr(random);
  std::memcpy(fx + kFxMxcsr, &mxcsr, sizeof mxcsr);
  out.state.rip = kCode.base;
  if (random.chance(20)) out.state.rip = kCode.base + 0x1000 - random.below(64);  // code across a page's end
  return out;
}

}  // namespace pileus::cpu_test
