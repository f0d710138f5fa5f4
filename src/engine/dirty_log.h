// DirtyLog: which pages of guest RAM were written since last asked: for moving a running VM, and saving one bit by bit.
#pragma once

#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::engine {

// One bit for each 4 KiB of RAM, in the order of its file (GuestMemory::file_offset()): page n is bit n % 64 of word
// n / 64.
using PageBitmap = std::vector<u64>;

// Any thread, while vCPUs run or stand.
class DirtyLog {
 public:
  virtual ~DirtyLog() = default;
  // Writes from now on are remembered, those of vCPUs and those that devices tell GuestMemory of.
  virtual Result<> start() = 0;
  virtual Result<> stop() = 0;
  // Adds the pages written since start() or the last collect() to `pages`, which is made as large as RAM. Whoever reads
  // them afterwards reads what was written before this call or something newer. Of what a running vCPU writes, a page may
  // be told of at the next call only: the last one is to be made while all of them stand still.
  virtual Result<> collect(PageBitmap* pages) = 0;
};

}  // namespace pileus::engine
