// Multiboot 1 kernels, booted as a boot loader would (Multiboot Specification 0.6.96): 32-bit protected mode without
// paging, EAX = 0x2BADB002, EBX = the information structure.
//
//   file     = anything, with header somewhere in the first 8192 bytes, 4-byte aligned
//   header   = magic(0x1BADB002) flags checksum [header_addr load_addr load_end_addr bss_end_addr entry_addr]
//              magic + flags + checksum = 0; the addresses count when bit 16 of flags is set, else the file is ELF
//
// The information structure gives the memory's size and map, the command line, the modules and the name of the loader.
// A kernel that demands a video mode is refused: the board has no screen.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/cpu_state.h"
#include "guest/memory.h"
#include "machine/loader/bytes.h"

namespace pileus::machine {

struct MultibootHeader {
  u64 offset = 0;  // in the file
  u32 flags = 0;
  // Bit 16 of flags: where the file goes. Zero otherwise.
  u32 header_address = 0, load_address = 0, load_end = 0, bss_end = 0, entry = 0;
};

std::optional<MultibootHeader> find_multiboot_header(Bytes file);

// Has such a header and is no bzImage, whose own protocol comes first.
bool looks_like_multiboot(Bytes file);

struct MultibootModule {
  std::vector<u8> bytes;
  std::string text;  // what the kernel is told of it, by custom its name and arguments
};

struct MultibootBoot {
  Bytes kernel;
  std::string_view command_line;
  std::span<const MultibootModule> modules;
};

inline constexpr u64 kMaxMultibootModules = 64;

// Writes to `memory` and returns the boot CPU's state. Errors name the file or what does not fit in the guest's memory.
Result<engine::CpuState> load_multiboot(guest::GuestMemory& memory, const MultibootBoot& boot);

}  // namespace pileus::machine
