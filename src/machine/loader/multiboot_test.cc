#include "machine/loader/multiboot.h"

#include <gtest/gtest.h>

#include <cstring>

#include "machine/layout.h"
#include "machine/testing/kernels.h"

namespace pileus::machine {
namespace {

using testing::kTestMultiboot;
using testing::make_multiboot;
using testing::put;

guest::GuestMemory make_memory(u64 size = 64 * kMiB) {
  return std::move(guest::GuestMemory::create(size, kRamHole)).value();
}

template <typename T>
T read(const guest::GuestMemory& memory, u64 address) {
  T value{};
  EXPECT_TRUE(memory.read(address, {reinterpret_cast<u8*>(&value), sizeof value}));
  return value;
}

std::string read_text(const guest::GuestMemory& memory, u64 address) {
  std::string text;
  for (char c = read<char>(memory, address); c != 0; c = read<char>(memory, ++address)) text += c;
  return text;
}

std::string error_of(const std::vector<u8>& kernel) {
  auto memory = make_memory();
  const auto state = load_multiboot(memory, {kernel, "", {}});
  return state.ok() ? "" : state.error().message();
}

TEST(Multiboot, EntersAnElf32InProtectedMode) {
  auto memory = make_memory();
  const std::vector<MultibootModule> modules{{{1, 2, 3}, "first a=b"}, {std::vector<u8>(5000, 7), "second"}};
  const auto state = load_multiboot(memory, {make_multiboot(), "quiet", modules});
  ASSERT_TRUE(state.ok()) << state.error().message();
  EXPECT_EQ(state->rip, kTestMultiboot + 12);
  EXPECT_EQ(state->gpr[engine::kRax], 0x2BADB002u);
  EXPECT_EQ(state->cr0, 0x11u);
  EXPECT_EQ(state->efer, 0u);
  EXPECT_EQ(state->rflags & 0x200, 0u);
  EXPECT_EQ(state->segment[engine::kCs].attributes, 0xC09Bu);
  EXPECT_EQ(state->segment[engine::kSs].attributes, 0xC093u);
  EXPECT_EQ(read<u32>(memory, kTestMultiboot), 0x1BADB002u);

  const auto info = static_cast<u64>(state->gpr[engine::kRbx]);
  EXPECT_EQ(read<u32>(memory, info), 0x24Du);
  EXPECT_EQ(read<u32>(memory, info + 4), 639u);
  EXPECT_EQ(read<u32>(memory, info + 8), 63u * 1024);
  EXPECT_EQ(read_text(memory, read<u32>(memory, info + 16)), "quiet");
  EXPECT_EQ(read_text(memory, read<u32>(memory, info + 64)), "Pileus");

  ASSERT_EQ(read<u32>(memory, info + 20), 2u);
  const u64 list = read<u32>(memory, info + 24);
  const u64 first = read<u32>(memory, list), second = read<u32>(memory, list + 16);
  EXPECT_EQ(first % 4096, 0u);
  EXPECT_EQ(second % 4096, 0u);
  EXPECT_EQ(read<u32>(memory, list + 4), first + 3);
  EXPECT_EQ(read<u32>(memory, list + 20), second + 5000);
  EXPECT_EQ(read_text(memory, read<u32>(memory, list + 8)), "first a=b");
  EXPECT_EQ(read<u8>(memory, first + 2), 3u);
  EXPECT_EQ(read<u8>(memory, second + 4999), 7u);
  // Each lies behind the kernel's zeroed end and before nothing else.
  EXPECT_GE(first, kTestMultiboot + 4096);
  EXPECT_GE(second, first + 4096);
}

TEST(Multiboot, TheMapHasAllMemory) {
  auto memory = make_memory();
  const auto state = load_multiboot(memory, {make_multiboot(), "", {}});
  ASSERT_TRUE(state.ok());
  const auto info = static_cast<u64>(state->gpr[engine::kRbx]);
  const u32 length = read<u32>(memory, info + 44);
  u64 at = read<u32>(memory, info + 48);
  const u64 end = at + length;
  u64 ram = 0, entries = 0;
  for (; at < end; at += read<u32>(memory, at) + 4, ++entries) {
    if (read<u32>(memory, at + 20) == 1) ram += read<u64>(memory, at + 12);
  }
  EXPECT_EQ(at, end);
  EXPECT_EQ(entries, 4u);
  EXPECT_EQ(ram, kLowRamEnd + 63 * kMiB);
}

TEST(Multiboot, ObeysTheHeadersAddresses) {
  // 16 bytes of something else, the header, code; the whole goes to 2 MiB, with zeros behind.
  std::vector<u8> file(16, 0xEE);
  constexpr u32 kFlags = 0x10003, kBase = 2 * kMiB;
  put(file, 16,
      std::array<u32, 8>{0x1BADB002, kFlags, 0u - 0x1BADB002 - kFlags, kBase + 16, kBase, kBase + 50, kBase + 100,
                         kBase + 48});
  put(file, 48, std::array<u8, 4>{0xF4, 0xF4, 0x99, 0x99});
  auto memory = make_memory();
  EXPECT_TRUE(memory.write(kBase + 50, std::vector<u8>(60, 0xFF)));
  const auto state = load_multiboot(memory, {file, "", {}});
  ASSERT_TRUE(state.ok()) << state.error().message();
  EXPECT_EQ(state->rip, kBase + 48);
  EXPECT_EQ(read<u8>(memory, kBase), 0xEEu);
  EXPECT_EQ(read<u8>(memory, kBase + 49), 0xF4u);
  EXPECT_EQ(read<u8>(memory, kBase + 50), 0u);  // load_end_addr is before the file's end
  EXPECT_EQ(read<u8>(memory, kBase + 99), 0u);
  EXPECT_EQ(read<u8>(memory, kBase + 100), 0xFFu);

  put(file, 16 + 12, kBase - 4);  // the header before the first byte
  EXPECT_NE(error_of(file).find("contradict"), std::string::npos);
}

TEST(Multiboot, FindsTheHeaderOnlyWhereItMayBe) {
  std::vector<u8> file(9000);
  const std::array<u32, 3> header{0x1BADB002, 0, 0u - 0x1BADB002};
  put(file, 8192 - 12, header);
  EXPECT_TRUE(find_multiboot_header(file).has_value());
  std::fill(file.begin(), file.end(), u8{0});
  put(file, 8192 - 8, header);
  EXPECT_FALSE(find_multiboot_header(file).has_value());
  std::fill(file.begin(), file.end(), u8{0});
  put(file, 6, header);
  EXPECT_FALSE(find_multiboot_header(file).has_value());
  std::fill(file.begin(), file.end(), u8{0});
  put(file, 0, std::array<u32, 3>{0x1BADB002, 0, 0});
  EXPECT_FALSE(find_multiboot_header(file).has_value());
  EXPECT_FALSE(find_multiboot_header({}).has_value());
  // The addresses are cut off.
  std::vector<u8> cut;
  put(cut, 0, std::array<u32, 3>{0x1BADB002, 0x10000, 0u - 0x1BADB002 - 0x10000});
  EXPECT_FALSE(find_multiboot_header(cut).has_value());
}

TEST(Multiboot, RefusesWhatItCannotDo) {
  EXPECT_NE(error_of(make_multiboot(0x4)).find("video"), std::string::npos);
  EXPECT_NE(error_of(make_multiboot(0x8)).find("demands"), std::string::npos);
  EXPECT_NE(error_of(std::vector<u8>(100)).find("no Multiboot header"), std::string::npos);
  auto memory = make_memory();
  const std::vector<MultibootModule> large{{std::vector<u8>(64 * kMiB), "large"}};
  const auto state = load_multiboot(memory, {make_multiboot(), "", large});
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().message(), "module 'large' does not fit in the guest's memory: give the machine more");
}

}  // namespace
}  // namespace pileus::machine
