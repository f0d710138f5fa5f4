#include "arena_image.h"

#include <algorithm>
#include <cstring>

#include "random_state.h"

namespace pileus::cpu_test {

namespace {

constexpr u8 kInt3 = 0xCC;

// FOP, FIP and FDP, and FXSAVE's MXCSR_MASK, which is the processor's (SDM vol. 1, 8.1.8 and 10.5.1).
constexpr std::array<Stretch, 4> kIgnored{
    {{kFxImage + 6, 18}, {kFxImage + 28, 4}, {kEnvironment32 + 12, 14}, {kEnvironment16 + 6, 8}}};

bool is_ignored(u64 address) {
  return std::any_of(kIgnored.begin(), kIgnored.end(),
                     [&](const Stretch& s) { return address >= s.base && address - s.base < s.size; });
}

void fill_random(Random& random, u8* at, u64 size) {
  for (u64 done = 0; done < size; done += 64) {
    const u64 kind = random.below(4);
    for (u64 i = done; i < done + 64; i += 16) {
      random_xmm(random, at + i);
      if (kind == 0) {
        for (const u64 j : {i, i + 8}) {
          const u64 value = random_value(random);
          std::memcpy(at + j, &value, sizeof value);
        }
      } else if (kind == 1) {
        random_x87(random, at + i);
      } else if (kind == 2) {
        const u32 mxcsr = random_mxcsr(random);
        std::memcpy(at + i, &mxcsr, sizeof mxcsr);
        const u16 control = 0x37F;
        std::memcpy(at + i + 8, &control, sizeof control);
      }
    }
  }
}

// Images that FXRSTOR, FLDENV and FRSTOR take.
void write_x87_images(Random& random, u8* arena) {
  const Registers registers = random_registers(random);
  u8* fx = arena_at(arena, kFxImage, 512);
  std::memcpy(fx, registers.state.fx.data(), kFxXmm + 16 * 16);
  for (const u64 at : {kEnvironment32, kEnvironment16}) {
    u8* image = arena_at(arena, at, 128);
    const unsigned word = at == kEnvironment32 ? 4 : 2;
    std::memset(image, 0, 7 * word);
    const u16 control = 0x37F, status = 0x2800, tags = 0xA51B;
    std::memcpy(image, &control, 2);
    std::memcpy(image + word, &status, 2);
    std::memcpy(image + 2 * word, &tags, 2);
    for (unsigned i = 0; i < 8; ++i) random_x87(random, image + 7 * word + 10 * i);
  }
}

}  // namespace

std::vector<u8> make_arena_image() {
  std::vector<u8> image(kArenaBytes, kInt3);
  Random random(1);
  for (const Stretch& stretch : {kData, kStack}) {
    fill_random(random, arena_at(image.data(), stretch.base, stretch.size), stretch.size);
  }
  write_x87_images(random, image.data());
  return image;
}

u64 page_difference(u64 address, const u8* one, const u8* other) {
  if (std::memcmp(one, other, kPageBytes) == 0) return 0;
  for (u64 i = 0; i < kPageBytes; ++i) {
    if (one[i] != other[i] && !is_ignored(address + i)) return address + i;
  }
  return 0;
}

}  // namespace pileus::cpu_test
