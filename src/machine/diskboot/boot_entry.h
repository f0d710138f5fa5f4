// Finding what to boot inside a disk, without running any of its code, as Xen's pygrub does: the
// partition table, then on each ext2/3/4 file system GRUB's configuration, else boot loader
// specification entries, else the newest kernel.
//
// Everything on the disk is hostile. The bytes read and the work done are bounded.
#pragma once

#include <string>
#include <vector>

#include "machine/diskboot/disk_reader.h"

namespace pileus::machine {

struct BootEntry {
  std::string title;
  std::vector<u8> kernel;  // as in the file: at most 256 MiB
  std::vector<u8> initrd;  // all initrd files one after another; may be empty; at most 1 GiB
  std::string command_line;
};

// Errors: kNotFound with what was searched, kCorrupt for a damaged partition table or file system,
// the reader's own.
Result<BootEntry> find_boot_entry(DiskReader& disk);

}  // namespace pileus::machine
