// libext2fs's view of a disk: an io_manager that reads through a DiskReader.
#pragma once

#include <ext2fs/ext2fs.h>

#include <array>
#include <vector>

#include "machine/diskboot/disk_reader.h"

namespace pileus::machine {

// What a channel reads: [offset, offset + length) of `disk`. libext2fs looks into the same few
// blocks of the extent tree for every block of a file; some recent blocks are kept, so that the
// disk is asked only once.
struct ExtWindow {
  struct CachedBlock {
    u64 start = ~u64{0};  // byte in the window
    std::vector<u8> bytes;
  };

  DiskReader* disk = nullptr;
  u64 offset = 0;
  u64 length = 0;
  std::array<CachedBlock, 64> cache;
};

// ext2fs_open2() on `window`, read-only. The window must outlive the file system.
errcode_t open_ext(ExtWindow& window, ext2_filsys* filesystem);

}  // namespace pileus::machine
