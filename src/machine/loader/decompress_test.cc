#include "machine/loader/decompress.h"

#include <gtest/gtest.h>

#include "machine/testing/packers.h"

namespace pileus::machine {
namespace {

using testing::kPackers;
using testing::Packer;

// Noise at the start and the end, and zeros between: that packs fast.
std::vector<u8> sample(u64 size) {
  std::vector<u8> bytes(size);
  u32 state = 1;
  for (u64 i = 0; i < size; ++i) {
    state = state * 1664525 + 1013904223;
    if (i < 3000 || i + 3000 > size) bytes[i] = static_cast<u8>(state >> 28);
  }
  return bytes;
}

Result<std::vector<u8>> unpack(Bytes packed, u64 limit) {
  std::vector<u8> whole;
  TRY(decompress(packed, limit, [&](Bytes piece) -> Result<> {
    EXPECT_FALSE(piece.empty());
    whole.insert(whole.end(), piece.begin(), piece.end());
    EXPECT_LE(whole.size(), limit);
    return {};
  }));
  return whole;
}

TEST(Decompress, UnpacksWhatWasPacked) {
  for (const Packer& packer : kPackers) {
    for (const u64 size : {u64{1}, u64{70000}, 8 * kMiB, 9 * kMiB + 3}) {
      const std::vector<u8> plain = sample(size);
      const auto unpacked = unpack(packer.pack(plain), 16 * kMiB);
      ASSERT_TRUE(unpacked.ok()) << packer.name << " " << size << ": " << unpacked.error().message();
      EXPECT_TRUE(*unpacked == plain) << packer.name << " " << size;
    }
  }
}

TEST(Decompress, StopsAtTheLimit) {
  const std::vector<u8> bomb(4 * kMiB);
  for (const Packer& packer : kPackers) {
    const auto unpacked = unpack(packer.pack(bomb), 4 * kMiB - 1);
    ASSERT_FALSE(unpacked.ok()) << packer.name;
    EXPECT_EQ(unpacked.error().code(), ErrorCode::kExhausted) << packer.name;
  }
}

TEST(Decompress, RefusesEveryTruncation) {
  const std::vector<u8> plain = sample(3000);
  for (const Packer& packer : kPackers) {
    const std::vector<u8> packed = packer.pack(plain);
    for (u64 length = 0; length + 12 < packed.size(); ++length) {
      const auto unpacked = unpack(Bytes(packed).first(length), kMiB);
      EXPECT_TRUE(!unpacked.ok() || *unpacked != plain) << packer.name << " " << length;
    }
  }
}

TEST(Decompress, SurvivesEveryDamagedByte) {
  const std::vector<u8> plain = sample(300);
  for (const Packer& packer : kPackers) {
    std::vector<u8> packed = packer.pack(plain);
    for (u8& byte : packed) {
      byte ^= 0xFF;
      const auto unpacked = unpack(packed, kMiB);
      EXPECT_TRUE(!unpacked.ok() || unpacked->size() <= kMiB);
      byte ^= 0xFF;
    }
  }
}

TEST(Decompress, TheFirstPieceHasTheHeadersAndARefusalEndsIt) {
  for (const Packer& packer : kPackers) {
    const std::vector<u8> packed = packer.pack(sample(9 * kMiB));
    unsigned pieces = 0;
    const Result<> done = decompress(packed, 16 * kMiB, [&](Bytes piece) -> Result<> {
      EXPECT_GE(piece.size(), kMiB) << packer.name;
      return ++pieces == 1 ? Result<>{} : Error(ErrorCode::kInvalid, "no more");
    });
    ASSERT_FALSE(done.ok()) << packer.name;
    EXPECT_EQ(done.error().code(), ErrorCode::kInvalid) << packer.name;
    EXPECT_EQ(pieces, 2U) << packer.name;
  }
}

TEST(Decompress, NamesWhatItKnows) {
  const std::vector<u8> bzip2{'B', 'Z', 'h', '9'};
  EXPECT_EQ(unpack(bzip2, kMiB).error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace pileus::machine
