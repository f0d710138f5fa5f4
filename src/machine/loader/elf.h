// ELF executables: what a loader needs of them (System V ABI, "Program Header").
#pragma once

#include <vector>

#include "base/result.h"
#include "machine/loader/bytes.h"

namespace pileus::machine {

// One PT_LOAD segment: `file_size` bytes at `file_offset` of the file go to physical `address`; the
// rest up to `memory_size` is zero. Checked: the file range is inside the file, file_size <=
// memory_size, the address range does not wrap around.
struct ElfSegment {
  u64 address = 0;
  u64 virtual_address = 0;
  u64 file_offset = 0;
  u64 file_size = 0;
  u64 memory_size = 0;
};

struct ElfImage {
  u64 entry = 0;
  bool is_i386 = false;  // else x86-64
  std::vector<ElfSegment> segments;  // at least one
};

bool looks_like_elf(Bytes file);
// An x86-64 or i386 executable of `file_size` bytes, of which `head` has the headers. Errors: kCorrupt for a damaged file,
// kUnsupported for another machine or kind of ELF.
Result<ElfImage> parse_elf(Bytes head, u64 file_size);
inline Result<ElfImage> parse_elf(Bytes file) { return parse_elf(file, file.size()); }

}  // namespace pileus::machine
