// Tiny kernels for tests: an ELF with one segment, and bzImages around it.
#pragma once

#include <elf.h>
#include <algorithm>

#include <cstring>
#include <string>
#include <vector>

#include "base/ints.h"
#include "machine/loader/bzimage.h"

namespace pileus::machine::testing {

inline constexpr u64 kTestEntry = 0x1000000;

template <typename T>
void put(std::vector<u8>& bytes, u64 offset, const T& value) {
  if (bytes.size() < offset + sizeof value) bytes.resize(offset + sizeof value);
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// One segment at kTestEntry holding `code`, with 4 KiB of zeros behind it in memory.
inline std::vector<u8> make_elf(const std::string& code = "hello, kernel") {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_entry = kTestEntry;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_paddr = kTestEntry;
  segment.p_filesz = code.size();
  segment.p_memsz = code.size() + 4096;
  std::vector<u8> bytes;
  put(bytes, 0, header);
  put(bytes, sizeof header, segment);
  bytes.insert(bytes.end(), code.begin(), code.end());
  return bytes;
}

// A bzImage of protocol 2.15 around `payload`.
inline std::vector<u8> make_bzimage(const std::vector<u8>& payload) {
  setup_header header{};
  header.setup_sects = 1;
  header.boot_flag = 0xAA55;
  header.jump = 0x6AEB;  // the header ends at 0x202 + 0x6A
  header.header = 0x53726448;
  header.version = 0x020F;
  header.initrd_addr_max = 0x7FFFFFFF;
  header.cmdline_size = 2047;
  header.payload_offset = 16;
  header.payload_length = static_cast<u32>(payload.size());
  constexpr std::size_t kBefore = 1024 + 16;
  std::vector<u8> bytes(kBefore + payload.size());
  put(bytes, 0x1F1, header);
  std::copy(payload.begin(), payload.end(), bytes.begin() + kBefore);
  return bytes;
}

inline constexpr u32 kTestMultiboot = 0x200000;

// A Multiboot kernel as an ELF32 file: one segment, linked at 3 GiB and loaded at kTestMultiboot, that begins with the
// header and goes on with `code`, the entry; 4 KiB of zeros behind it.
inline std::vector<u8> make_multiboot(u32 flags = 3, const std::string& code = "\xF4") {
  constexpr u32 kLinkedAt = 0xC0000000;
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_386;
  header.e_entry = kLinkedAt + 12;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = 1;
  Elf32_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_vaddr = kLinkedAt;
  segment.p_paddr = kTestMultiboot;
  segment.p_filesz = 12 + static_cast<u32>(code.size());
  segment.p_memsz = segment.p_filesz + 4096;
  std::vector<u8> bytes;
  put(bytes, 0, header);
  put(bytes, sizeof header, segment);
  constexpr u32 kMagic = 0x1BADB002;
  for (const u32 word : {kMagic, flags, 0u - kMagic - flags}) put(bytes, bytes.size(), word);
  bytes.insert(bytes.end(), code.begin(), code.end());
  return bytes;
}

}  // namespace pileus::machine::testing
