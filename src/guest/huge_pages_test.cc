#include "guest/huge_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <chrono>
#include <fstream>
#include <sstream>

namespace pileus::guest {
namespace {

constexpr int kCollapse = 25;
constexpr auto kPatience = std::chrono::seconds(120);

// KiB of the mapping that begins at `start` that the processor sees in pages of 2 MiB.
u64 huge_kib(const u8* start) {
  std::ostringstream begins;
  begins << std::hex << reinterpret_cast<u64>(start) << '-';
  std::ifstream smaps("/proc/self/smaps");
  bool ours = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find('-') < line.find(' ')) ours = line.starts_with(begins.str());
    if (ours && line.starts_with("ShmemPmdMapped:")) return std::stoull(line.substr(line.find(':') + 1));
  }
  return 0;
}

GuestMemory make_memory(u64 bytes) { return std::move(GuestMemory::create(bytes, 64 * kMiB)).value(); }

bool kernel_can() {
  GuestMemory memory = make_memory(2 * kMiB);
  *memory.host(0, 1) = 1;
  return ::madvise(memory.host(0, 1), 2 * kMiB, kCollapse) == 0;
}

// Waits until so many pieces of `memory` are one page each; how many there are.
u64 wait_for_pieces(GuestMemory& memory, u64 count) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  u64 found = 0;
  while ((found = huge_kib(memory.host(0, 1)) / 2048) < count && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return found;
}

TEST(HugePages, WhatIsTouchedBecomesOnePage) {
  if (!kernel_can()) GTEST_SKIP() << "this kernel makes no huge pages of memory files";
  GuestMemory memory = make_memory(64 * kMiB);
  *memory.host(5 * kMiB, 1) = 55;
  const HugePages huge_pages(memory);
  *memory.host(49 * kMiB, 1) = 99;
  EXPECT_EQ(wait_for_pieces(memory, 2), 2U) << "two pieces, and none that was not touched";
  EXPECT_EQ(*memory.host(5 * kMiB, 1), 55);
  EXPECT_EQ(*memory.host(49 * kMiB, 1), 99);
  EXPECT_EQ(*memory.host(49 * kMiB + 1, 1), 0);
}

TEST(HugePages, WhoTakesPiecesInOrderFindsTheNextOnesReady) {
  if (!kernel_can()) GTEST_SKIP() << "this kernel makes no huge pages of memory files";
  GuestMemory memory = make_memory(64 * kMiB);
  const HugePages huge_pages(memory);
  const auto touch = [&](u64 piece) { *memory.host(piece * 2 * kMiB + 4096, 1) = 1; };
  touch(10);
  EXPECT_EQ(wait_for_pieces(memory, 1), 1U);
  touch(11);
  EXPECT_EQ(wait_for_pieces(memory, 3), 3U) << "and the one after it";
  touch(13);
  EXPECT_EQ(wait_for_pieces(memory, 6), 6U) << "and two after it";
  touch(28);
  EXPECT_EQ(wait_for_pieces(memory, 7), 7U) << "out of order: nothing more";
  EXPECT_EQ(*memory.host(13 * 2 * kMiB + 4096, 1), 1);
  EXPECT_EQ(*memory.host(14 * 2 * kMiB + 4096, 1), 0);
}

TEST(HugePages, MemoryOfNoWholePieceIsLeftAlone) {
  GuestMemory memory = make_memory(kMiB);
  *memory.host(0, 1) = 1;
  const HugePages huge_pages(memory);
  EXPECT_EQ(*memory.host(0, 1), 1);
}

}  // namespace
}  // namespace pileus::guest
