// HugePages: puts guest RAM into host pages of 2 MiB, as the guest comes to use it.
//
// RAM is a file in memory, so that other processes can map it, and most hosts leave such files in pages of 4 KiB however
// they are asked. A guest then waits for the host's page tables at every other turn. A thread looks for pieces that have
// been touched and asks for each that the kernel makes it one page (MADV_COLLAPSE, Linux 6.1); where it cannot, the thread
// ends and nothing is lost. A guest that takes memory in order, as a booting Linux does, finds the next pieces made ready:
// at most 16 MiB that it may not come to use.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "guest/memory.h"

namespace pileus::guest {

class HugePages {
 public:
  // `memory` outlives it.
  explicit HugePages(const GuestMemory& memory);
  ~HugePages();
  HugePages(const HugePages&) = delete;
  HugePages& operator=(const HugePages&) = delete;

 private:
  void loop();
  // One pass over what has been touched: the number of pieces that were made one page.
  u64 collapse();
  // Makes one page of a piece that holds data.
  bool make_huge(u64 piece);
  // Gets the pieces after one that was touched ready, more of them the longer the guest goes on in order.
  void look_ahead(u64 piece);
  // The first piece at or after `piece` that holds data and is not done; the number of pieces when there is none.
  u64 next_touched(u64 piece) const;

  const GuestMemory& memory_;
  u8* const base_;
  std::vector<u8> failures_;  // for each piece; kDone: leave it alone
  u64 left_;  // pieces that are not done; 0 also when the kernel does not know how
  u64 next_ = ~u64{0};  // the piece that is touched next, if the guest goes on in order
  u64 ahead_ = 0;  // how many pieces were made ready before it
  u64 blocks_ = 0;  // of the file, at the last pass
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pileus::guest
