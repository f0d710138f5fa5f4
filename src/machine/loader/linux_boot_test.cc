#include "machine/loader/linux_boot.h"

#include <gtest/gtest.h>

#include "machine/fuzz.h"
#include "machine/layout.h"
#include "machine/loader/cpu_setup.h"
#include "machine/loader/elf.h"
#include "machine/testing/packers.h"

namespace pileus::machine {
namespace {

using testing::kTestEntry;
using testing::make_bzimage;
using testing::make_elf;
using testing::put;

constexpr u64 kProgramHeader = sizeof(Elf64_Ehdr);

guest::GuestMemory make_memory(u64 size = 64 * kMiB) {
  return std::move(guest::GuestMemory::create(size, kRamHole)).value();
}

boot_params read_params(const guest::GuestMemory& memory) {
  boot_params params;
  EXPECT_TRUE(memory.read(kZeroPage, {reinterpret_cast<u8*>(&params), sizeof params}));
  return params;
}

std::string read_text(const guest::GuestMemory& memory, u64 address, u64 length) {
  std::string text(length, 0);
  EXPECT_TRUE(memory.read(address, {reinterpret_cast<u8*>(text.data()), length}));
  return text;
}

std::string error_of(const std::vector<u8>& kernel) {
  auto memory = make_memory();
  const auto state = load_linux(memory, {kernel, {}, "", 0, {}});
  return state.ok() ? "" : state.error().message();
}

TEST(LinuxBoot, EntersAnI386ElfInProtectedMode) {
  auto memory = make_memory();
  const auto state = load_linux(memory, {testing::make_multiboot(), {}, "console=ttyS0", kAcpiTables, {}});
  ASSERT_TRUE(state.ok()) << state.error().message();
  EXPECT_EQ(state->rip, 0xC000000Cu);
  EXPECT_EQ(state->gpr[engine::kRsi], kZeroPage);
  EXPECT_EQ(state->cr0 & 0x80000001, 1u);
  EXPECT_EQ(state->efer, 0u);
  EXPECT_EQ(state->segment[engine::kCs].selector, 0x10);
  EXPECT_EQ(state->segment[engine::kDs].selector, 0x18);
}

TEST(LinuxBoot, EntersAnElfInLongMode) {
  auto memory = make_memory();
  const auto state = load_linux(memory, {make_elf(), {}, "console=ttyS0", kAcpiTables, {}});
  ASSERT_TRUE(state.ok()) << state.error().message();
  EXPECT_EQ(state->rip, kTestEntry);
  EXPECT_EQ(state->gpr[engine::kRsi], kZeroPage);
  EXPECT_EQ(state->cr3, kBootPageTables);
  EXPECT_EQ(state->efer, 0x500u);
  EXPECT_EQ(state->cr0 & 0x80000001, 0x80000001u);
  EXPECT_EQ(state->cr4 & 0x20, 0x20u);
  EXPECT_EQ(state->rflags & 0x200, 0u);
  EXPECT_EQ(state->run_state, engine::RunState::kRunning);
  EXPECT_EQ(read_text(memory, kTestEntry, 13), "hello, kernel");
  EXPECT_EQ(read_text(memory, kCommandLine, 14), std::string("console=ttyS0\0", 14));
  const boot_params params = read_params(memory);
  EXPECT_EQ(params.hdr.cmd_line_ptr, kCommandLine);
  EXPECT_EQ(params.acpi_rsdp_addr, kAcpiTables);
}

TEST(LinuxBoot, IdentityMapsFourGigabytes) {
  auto memory = make_memory();
  enter_long_mode(memory, kTestEntry, kZeroPage);
  const auto entry = [&](u64 address) {
    u64 value = 0;
    EXPECT_TRUE(memory.read(address, {reinterpret_cast<u8*>(&value), sizeof value}));
    return value;
  };
  for (const u64 address : {u64{0}, kTestEntry, kIoapic, 4 * kGiB - 1}) {
    const u64 pdpt = entry(kBootPageTables) & ~u64{0xFFF};
    const u64 directory = entry(pdpt + (address >> 30) * 8) & ~u64{0xFFF};
    const u64 page = entry(directory + (address >> 21 & 511) * 8);
    EXPECT_EQ(page, (address & ~(2 * kMiB - 1)) | 0x83);
  }
}

TEST(LinuxBoot, UnpacksBzImages) {
  for (const auto& packer : testing::kPackers) {
    auto memory = make_memory();
    const auto state = load_linux(memory, {make_bzimage(packer.pack(make_elf())), {}, "", 0, {}});
    ASSERT_TRUE(state.ok()) << packer.name << ": " << state.error().message();
    EXPECT_EQ(read_text(memory, kTestEntry, 13), "hello, kernel");
    EXPECT_EQ(read_params(memory).hdr.version, 0x020F);
  }
}

TEST(LinuxBoot, PutsTheInitrdHighAndBelowItsLimit) {
  auto memory = make_memory();
  const std::vector<u8> initrd(5000, 'i');
  ASSERT_TRUE(load_linux(memory, {make_elf(), initrd, "", 0, {}}).ok());
  boot_params params = read_params(memory);
  EXPECT_EQ(params.hdr.ramdisk_image, 64 * kMiB - 8192);
  EXPECT_EQ(params.hdr.ramdisk_size, 5000u);
  EXPECT_EQ(read_text(memory, params.hdr.ramdisk_image, 3), "iii");

  std::vector<u8> kernel = make_bzimage(make_elf());
  put(kernel, 0x1F1 + offsetof(setup_header, initrd_addr_max), u32{0x1FFFFFF});
  ASSERT_TRUE(load_linux(memory, {kernel, initrd, "", 0, {}}).ok());
  EXPECT_EQ(read_params(memory).hdr.ramdisk_image, 32 * kMiB - 8192);
}

TEST(LinuxBoot, DescribesMemory) {
  auto memory = make_memory(6 * kGiB);
  ASSERT_TRUE(load_linux(memory, {make_elf(), {}, "", 0, {}}).ok());
  const boot_params params = read_params(memory);
  ASSERT_EQ(params.e820_entries, 5);
  const auto entry = [&](unsigned i) {
    const boot_e820_entry e = params.e820_table[i];
    return std::array<u64, 3>{e.addr, e.size, e.type};
  };
  EXPECT_EQ(entry(0), (std::array<u64, 3>{0, 0x9FC00, 1}));
  EXPECT_EQ(entry(1), (std::array<u64, 3>{0x9FC00, 0x60400, 2}));
  EXPECT_EQ(entry(2), (std::array<u64, 3>{kMiB, kEcam - kMiB, 1}));
  EXPECT_EQ(entry(3), (std::array<u64, 3>{kEcam, kMiB, 2}));
  EXPECT_EQ(entry(4), (std::array<u64, 3>{4 * kGiB, 6 * kGiB - kEcam, 1}));
}

TEST(LinuxBoot, HandsOverARandomSeed) {
  auto memory = make_memory();
  const std::vector<u8> seed(32, 0x5A);
  ASSERT_TRUE(load_linux(memory, {make_elf(), {}, "", 0, seed}).ok());
  EXPECT_EQ(read_params(memory).hdr.setup_data, kSetupData);
  EXPECT_EQ(read_text(memory, kSetupData + 8, 8), std::string("\x09\0\0\0\x20\0\0\0", 8));
  EXPECT_EQ(read_text(memory, kSetupData + 16, 32), std::string(32, 0x5A));
}

TEST(LinuxBoot, RefusesWhatDoesNotFit) {
  auto memory = make_memory();
  const std::vector<u8> initrd(50 * kMiB);
  EXPECT_NE(load_linux(memory, {make_elf(), initrd, "", 0, {}}).error().message().find("initrd: does not fit"),
            std::string::npos);
  const std::string long_line(2048, 'x');
  EXPECT_NE(load_linux(memory, {make_elf(), {}, long_line, 0, {}}).error().message().find("2048 bytes"),
            std::string::npos);
  auto tiny = make_memory(16 * kMiB);
  EXPECT_NE(load_linux(tiny, {make_elf(), {}, "", 0, {}}).error().message().find("kernel: does not fit"),
            std::string::npos);
  auto hopeless = make_memory(64 * kKiB);
  EXPECT_FALSE(load_linux(hopeless, {make_elf(), {}, "", 0, {}}).ok());
}

TEST(LinuxBoot, RefusesEveryTruncation) {
  const std::vector<u8> elf = make_elf();
  for (u64 length = 0; length < elf.size(); ++length) {
    EXPECT_NE(error_of({elf.begin(), elf.begin() + static_cast<std::ptrdiff_t>(length)}), "") << length;
  }
  const std::vector<u8> image = make_bzimage(testing::pack_xz(elf));
  for (u64 length = 0; length < image.size(); ++length) {
    const std::vector<u8> cut(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_NE(error_of(cut), "") << length;
    fuzz_bzimage(cut);
  }
  EXPECT_EQ(error_of({elf.begin(), elf.begin() + 70}),
            "kernel: truncated: the program header table lies outside the file");
}

TEST(LinuxBoot, RefusesHostileSegments) {
  const auto with = [](u64 field, u64 value) {
    std::vector<u8> elf = make_elf();
    put(elf, kProgramHeader + field, value);
    return error_of(elf);
  };
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_offset), ~u64{0} - 4), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_filesz), ~u64{0} - 8), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_memsz), ~u64{0} - kTestEntry), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_memsz), ~u64{0}), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_memsz), 4), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_memsz), 0), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_paddr), kZeroPage), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_paddr), 64 * kMiB - 16), "");
  EXPECT_NE(with(offsetof(Elf64_Phdr, p_paddr), ~u64{0} - 16), "");
}

TEST(LinuxBoot, SurvivesEveryDamagedByte) {
  std::vector<u8> elf = make_elf();
  std::vector<u8> image = make_bzimage(testing::pack_gzip(elf));
  for (std::vector<u8>* bytes : {&elf, &image}) {
    for (u8& byte : *bytes) {
      for (const u8 mask : {u8{0x01}, u8{0x80}, u8{0xFF}}) {
        byte ^= mask;
        fuzz_elf(*bytes);
        fuzz_bzimage(*bytes);
        byte ^= mask;
      }
    }
  }
}

TEST(LinuxBoot, RefusesOldAndForeignKernels) {
  std::vector<u8> image = make_bzimage(make_elf());
  put(image, 0x206, u16{0x0205});
  EXPECT_EQ(error_of(image), "kernel: its boot protocol is older than 2.06");
  EXPECT_EQ(error_of(std::vector<u8>(4096)), "kernel: neither a bzImage nor an ELF kernel");

  std::vector<u8> program = make_bzimage(make_elf());
  put(program, 0x24C, u32{0});  // payload_length
  EXPECT_EQ(error_of(program).find("kernel: there is no compressed kernel in it, as in memtest86+"), 0u);
}

TEST(CpuSetup, OtherCpusWaitForTheirStart) {
  const engine::CpuState state = reset_state(3);
  EXPECT_EQ(state.run_state, engine::RunState::kWaitForSipi);
  EXPECT_EQ(state.lapic.registers[2], 3u << 24);
  EXPECT_EQ(state.lapic.base_msr, 0xFEE00800u);
  EXPECT_EQ(reset_state(0).lapic.base_msr, 0xFEE00900u);
}

}  // namespace
}  // namespace pileus::machine
