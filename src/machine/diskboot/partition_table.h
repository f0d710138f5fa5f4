// Where the partitions of a disk lie: GPT (UEFI 2.10, 5.3), else MBR with its chain of logical
// partitions, else the whole disk as one file system.
//
//   gpt = protective_mbr(lba 0) header(lba 1) entries ... entries header(last lba); both
//   checksummed, the second is a copy mbr = code(440) signature:u32 0:u16 entry(16)*4 0x55 0xAA
#pragma once

#include <string>
#include <vector>

#include "machine/diskboot/disk_reader.h"

namespace pileus::machine {

struct Partition {
  u64 offset = 0;    // bytes from the start of the disk
  u64 length = 0;    // bytes; [offset, offset + length) is inside the disk
  std::string uuid;  // as in the kernel's root=PARTUUID=; empty for the whole disk
};

// In the order of the table. Errors: kCorrupt when both copies of a GPT are damaged or the disk is cut short, the reader's
// own.
Result<std::vector<Partition>> read_partitions(DiskReader& disk);

}  // namespace pileus::machine
