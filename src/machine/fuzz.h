// The parsers of foreign bytes in this module, for a fuzzer: each takes any bytes, must return, and
// must not crash, read outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::machine {

void fuzz_elf(std::span<const u8> input);
void fuzz_multiboot(std::span<const u8> input);
void fuzz_bzimage(std::span<const u8> input);          // with the payload unpacked, to 1 MiB at most
void fuzz_partition_table(std::span<const u8> input);  // the input is the disk
void fuzz_grub_cfg(std::span<const u8> input);         // and boot loader specification entries

}  // namespace pileus::machine
