#include "mutate.h"

#include <algorithm>
#include <array>
#include <random>

namespace pileus::fuzz {

namespace {

// std::mt19937_64 gives the same numbers everywhere; the standard's distributions do not.
class Random {
 public:
  explicit Random(u64 seed) : engine_(seed) {}
  u64 below(u64 limit) { return engine_() % limit; }
  u8 byte() { return static_cast<u8>(engine_()); }
  template <std::size_t n>
  u64 one_of(const std::array<u64, n>& values) {
    return values[below(n)];
  }

 private:
  std::mt19937_64 engine_;
};

// Where sums overflow, signs change and off-by-one mistakes show.
constexpr std::array<u64, 16> kOddValues = {0,          1,          0x7F,       0x80,   0xFF,    0x100,
                                            0x1000,     0x7FFF,     0x8000,     0xFFFF, 0x10000, 0x7FFFFFFF,
                                            1ULL << 31, 0xFFFFFFFF, 1ULL << 63, ~u64{0}};
constexpr std::array<u64, 4> kWidths = {1, 2, 4, 8};

std::ptrdiff_t at(u64 offset) { return static_cast<std::ptrdiff_t>(offset); }

Bytes random_bytes(Random& random, u64 max_size) {
  Bytes bytes(random.below(std::min<u64>(max_size, 512) + 1));
  std::generate(bytes.begin(), bytes.end(), [&] { return random.byte(); });
  return bytes;
}

void store(Bytes& bytes, u64 offset, u64 width, u64 value) {
  for (u64 i = 0; i < width && offset + i < bytes.size(); ++i) bytes[offset + i] = static_cast<u8>(value >> (8 * i));
}

u64 load(const Bytes& bytes, u64 offset, u64 width) {
  u64 value = 0;
  for (u64 i = 0; i < width && offset + i < bytes.size(); ++i) value |= u64{bytes[offset + i]} << (8 * i);
  return value;
}

// `bytes` is not empty. Each change is one that a hostile or damaged input would show.
void mutate_once(Random& random, Bytes& bytes, const Bytes& other) {
  const u64 offset = random.below(bytes.size());
  const u64 length = 1 + random.below(std::min<u64>(bytes.size() - offset, 64));
  const u64 width = random.one_of(kWidths);
  const auto begin = bytes.begin() + at(offset);
  switch (random.below(8)) {
    case 0: bytes[offset] ^= static_cast<u8>(1U << random.below(8)); break;
    case 1: bytes[offset] = random.byte(); break;
    case 2: store(bytes, offset, width, random.one_of(kOddValues)); break;
    case 3: store(bytes, offset, width, load(bytes, offset, width) + random.below(17) - 8); break;
    case 4: bytes.resize(offset); break;
    case 5: bytes.erase(begin, begin + at(length)); break;
    case 6: {
      const Bytes copy(begin, begin + at(length));
      bytes.insert(bytes.begin() + at(random.below(bytes.size() + 1)), copy.begin(), copy.end());
      break;
    }
    default: {
      if (other.empty()) break;
      const u64 from = random.below(other.size());
      const u64 count = std::min({length, other.size() - from, bytes.size() - offset});
      std::copy_n(other.begin() + at(from), count, begin);
    }
  }
}

}  // namespace

InputMaker::InputMaker(const Target& target) : target_(target) {
  if (target.seeds != nullptr) seeds_ = target.seeds();
}

Bytes InputMaker::make(u64 number) const {
  if (number < seeds_.size()) return seeds_[number];
  Random random(number);
  if (seeds_.empty() || random.below(16) == 0) return random_bytes(random, target_.max_size);
  Bytes bytes = seeds_[random.below(seeds_.size())];
  const Bytes& other = seeds_[random.below(seeds_.size())];
  for (u64 changes = 1 + random.below(6); changes > 0 && !bytes.empty(); --changes) mutate_once(random, bytes, other);
  if (bytes.size() > target_.max_size) bytes.resize(target_.max_size);
  return bytes;
}

}  // namespace pileus::fuzz
