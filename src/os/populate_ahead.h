// PopulateAhead: has the next pages of memory that is used in order ready before they are touched.
//
// Whoever touches a new page of 2 MiB waits until the kernel has cleared it, and under a hypervisor until that has found
// memory for it too: up to milliseconds. A thread does so on another processor, between 2 and 4 MiB ahead. Where the
// kernel does not know how (MADV_POPULATE_WRITE, Linux 5.14), the thread ends and pages come as they are touched.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/ints.h"

namespace pileus::os {

class PopulateAhead {
 public:
  // Writable memory that outlives it, each span used from its beginning on. Spans too short to be worth it are left alone.
  explicit PopulateAhead(std::span<const std::span<u8>> spans);
  ~PopulateAhead();
  PopulateAhead(const PopulateAhead&) = delete;
  PopulateAhead& operator=(const PopulateAhead&) = delete;

  // Span `number` is in use up to `at`. Calls for the same span must not overlap; most only compare two addresses.
  void used(u64 number, const u8* at) {
    if (at >= spans_[number].next_call) want(number, at);
  }

  static constexpr u64 kPiece = 2 * kMiB;
  static constexpr u64 kShortest = 4 * kPiece;

 private:
  struct Span {
    u8* next_call;  // until `at` is there nothing is to be done
    u8* ready;  // populated up to here; the thread's
    u8* wanted;  // guarded by mutex_
    u8* end;
  };

  void want(u64 number, const u8* at);
  void loop();
  // The first that wants more than is ready, or nullptr. With mutex_ held.
  Span* behind();

  std::vector<Span> spans_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pileus::os
