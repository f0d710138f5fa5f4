// Blocks: a disk in blocks of a size of one's own choosing, those of zeroes left out.
#pragma once

#include <vector>

#include "foreign/disk_writer.h"

namespace pileus::foreign {

class Blocks {
 public:
  // All references outlive it.
  Blocks(DiskReader& disk, u64 block_size, const Progress& progress)
      : disk_(disk), progress_(progress), block_(block_size), chunk_(disk.chunk_size()) {}

  struct Block {
    u64 index = 0;
    std::span<const u8> bytes;  // of a whole block, zeroes beyond the disk's end; until the next call
  };
  // The next one with data, in order; nothing: there is none left.
  Result<std::optional<Block>> next();
  u64 count() const { return (disk_.size() + block_.size() - 1) / block_.size(); }

 private:
  Result<> gather(u64 index);
  Result<> load(u64 chunk);
  Result<bool> skip_to_data();

  DiskReader& disk_;
  const Progress& progress_;
  std::vector<u8> block_;
  std::vector<u8> chunk_;
  u64 loaded_ = UINT64_MAX;  // the chunk that chunk_ is
  u64 next_ = 0;
  u64 looked_at_ = 0;  // blocks
};

}  // namespace pileus::foreign
