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

TEST(HugePages, WhatIsTouchedBecomesOnePage) {
  if (!kernel_can()) GTEST_SKIP() << "this kernel makes no huge pages of memory files";
  GuestMemory memory = make_memory(16 * kMiB);
  *memory.host(5 * kMiB, 1) = 55;
  const HugePages huge_pages(memory);
  *memory.host(9 * kMiB, 1) = 99;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (huge_kib(memory.host(0, 1)) < 4096 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(huge_kib(memory.host(0, 1)), 4096U) << "two pieces, and none that was not touched";
  EXPECT_EQ(*memory.host(5 * kMiB, 1), 55);
  EXPECT_EQ(*memory.host(9 * kMiB, 1), 99);
  EXPECT_EQ(*memory.host(9 * kMiB + 1, 1), 0);
}

TEST(HugePages, MemoryOfNoWholePieceIsLeftAlone) {
  GuestMemory memory = make_memory(kMiB);
  *memory.host(0, 1) = 1;
  const HugePages huge_pages(memory);
  EXPECT_EQ(*memory.host(0, 1), 1);
}

}  // namespace
}  // namespace pileus::guest
