#include "os/populate_ahead.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <chrono>

#include "os/mapping.h"

namespace pileus::os {
namespace {

constexpr u64 kPiece = PopulateAhead::kPiece, kPage = 4096;
constexpr auto kPatience = std::chrono::seconds(60);

bool kernel_can() {
  const Mapping memory = std::move(Mapping::anonymous(kPage)).value();
  return ::madvise(memory.data(), kPage, MADV_POPULATE_WRITE) == 0;
}

bool there(const u8* at) {
  unsigned char resident = 0;
  return ::mincore(reinterpret_cast<void*>(reinterpret_cast<u64>(at) & ~(kPage - 1)), kPage, &resident) == 0 &&
         (resident & 1) != 0;
}

bool wait_until_there(const u8* at) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!there(at) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return there(at);
}

TEST(PopulateAhead, TheNextPieceIsThereBeforeItIsUsed) {
  if (!kernel_can()) GTEST_SKIP() << "this kernel does not know MADV_POPULATE_WRITE";
  const Mapping memory = std::move(Mapping::anonymous(16 * kPiece)).value();
  u8* const begin = memory.data();
  PopulateAhead ahead(std::array{std::span(begin, memory.size())});
  EXPECT_TRUE(wait_until_there(begin + kPiece - kPage)) << "from the start on";
  EXPECT_FALSE(there(begin + 3 * kPiece)) << "no more than is asked for";
  ahead.used(0, begin + 5 * kPiece);
  EXPECT_TRUE(wait_until_there(begin + 6 * kPiece));
  EXPECT_FALSE(there(begin + 9 * kPiece));
  ahead.used(0, begin + 100);  // begun again from the start
  ahead.used(0, begin + memory.size());
  EXPECT_TRUE(wait_until_there(begin + memory.size() - 1)) << "and no further";
}

TEST(PopulateAhead, EachSpanIsLookedAfterAndShortOnesAreNot) {
  if (!kernel_can()) GTEST_SKIP() << "this kernel does not know MADV_POPULATE_WRITE";
  const Mapping memory = std::move(Mapping::anonymous(32 * kPiece)).value();
  const std::span<u8> small(memory.data(), PopulateAhead::kShortest - kPage);
  const std::span<u8> first(memory.data() + 8 * kPiece, 8 * kPiece), second(memory.data() + 16 * kPiece, 8 * kPiece);
  PopulateAhead ahead(std::array{small, first, second});
  ahead.used(0, small.data() + small.size());
  ahead.used(2, second.data() + 3 * kPiece);
  EXPECT_TRUE(wait_until_there(first.data()));
  EXPECT_TRUE(wait_until_there(second.data() + 4 * kPiece));
  EXPECT_FALSE(there(first.data() + 4 * kPiece));
  EXPECT_FALSE(there(small.data()));
}

TEST(PopulateAhead, WhatIsInUseIsNotTouched) {
  const Mapping memory = std::move(Mapping::anonymous(8 * kPiece)).value();
  PopulateAhead ahead(std::array{std::span(memory.data(), memory.size())});
  for (u64 at = 0; at < memory.size(); at += kPage) {
    memory.data()[at] = static_cast<u8>(at / kPage);
    ahead.used(0, memory.data() + at);
  }
  for (u64 at = 0; at < memory.size(); at += kPage) ASSERT_EQ(memory.data()[at], static_cast<u8>(at / kPage));
}

}  // namespace
}  // namespace pileus::os
