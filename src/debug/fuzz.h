// The parsers of foreign bytes in this module, for a fuzzer: each takes any bytes, must return, and must not crash, read
// outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::debug {

void fuzz_gdb_session(std::span<const u8> input);  // the input is what GDB sends
void fuzz_kallsyms(std::span<const u8> input);  // the input is the kernel's memory
void fuzz_page_tables(std::span<const u8> input);  // the input is RAM from address 0 on; its first 8 bytes are CR3

}  // namespace pileus::debug
